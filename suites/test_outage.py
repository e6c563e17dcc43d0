"""An outage is a fast and honest refusal."""

import pytest

from brownout.expectations import (
    expect_all_within,
    expect_honest_statuses,
    expect_none_succeed,
)
from brownout.trial import Recording
from brownout.trial.plan import (
    BLACK_HOLE,
    CUT,
    ENDED_IN_USE,
    LOCKED_TABLES,
    LOST_COMMIT,
    OUTAGE,
    RESET,
    RESTART,
    STARTING_UP,
    TERMINATED_BACKENDS,
)


@pytest.mark.behaviour("T6")
@pytest.mark.trials(OUTAGE)
def test_a_refused_connection_fails_fast(brownout_recording: Recording) -> None:
    """A closed port is known at once; the caller need not wait for D."""
    expect_all_within(brownout_recording.during(), brownout_recording.declared.budget.request / 2)


@pytest.mark.behaviour("E5")
@pytest.mark.trials(
    OUTAGE, RESET, CUT, TERMINATED_BACKENDS, RESTART, ENDED_IN_USE, STARTING_UP, LOST_COMMIT
)
def test_a_database_that_is_gone_is_reported_as_unavailable(
    brownout_recording: Recording,
) -> None:
    """503, or 504 for a write whose COMMIT may have happened; never 500."""
    for operation, answers in brownout_recording.by_operation():
        expect_honest_statuses(answers, operation, gone=True)


@pytest.mark.behaviour("E5")
@pytest.mark.trials(BLACK_HOLE, LOCKED_TABLES)
def test_a_database_that_never_answers_is_reported_as_too_slow(
    brownout_recording: Recording,
) -> None:
    """503 or 504; never 500."""
    for operation, answers in brownout_recording.by_operation():
        expect_honest_statuses(answers, operation, gone=False)


@pytest.mark.behaviour("E9")
@pytest.mark.trials(OUTAGE, BLACK_HOLE)
def test_nothing_succeeds_without_the_database(brownout_recording: Recording) -> None:
    """No empty list, no made-up answer, no promise to do it later."""
    expect_none_succeed(brownout_recording.during())
