"""Slowness is bounded: however long the database takes, the caller is answered by D."""

import pytest

from brownout.declaration.needs import fallbacks
from brownout.expectations import (
    expect_all_within,
    expect_connects_given_up,
    expect_each,
    expect_none_left_running,
)
from brownout.trial import Recording
from brownout.trial.plan import (
    ABANDONED_QUERIES,
    BAD_VALUE,
    BANDWIDTH,
    BLACK_HOLE,
    BLACK_HOLE_TO_SERVICE,
    BROKEN_ROWS,
    COMMIT_REFUSED,
    CONFLICT,
    CRASH,
    CROWD_IN_A_BLACK_HOLE,
    CUT,
    DISK_FULL,
    ENDED_IN_USE,
    FALLBACK,
    FREEZE,
    HURRIED,
    LATENCY,
    LOCKED_TABLES,
    LONG_OUTAGE,
    LOST_COMMIT,
    NO_FREE_SLOTS,
    REFUSED_STATEMENTS,
    RESET,
    RESTART,
    REVOKED_PERMISSION,
    SILENT_COMMIT,
    SLOW_ROWS,
    SLOW_STATEMENTS,
    STARTING_UP,
    TERMINATED_BACKENDS,
    UNANSWERED_CONNECTS,
)

# Answers that come too late, in drips or never: a COMMIT's and those in the middle of rows, too.
SLOW = (LATENCY, BANDWIDTH, BLACK_HOLE_TO_SERVICE, FREEZE, SILENT_COMMIT, LOCKED_TABLES, *SLOW_ROWS)

# A request that waits for what has failed already may wait for ever, whatever the failure was.
FAILING_AT_ONCE = (RESET, CUT, TERMINATED_BACKENDS, RESTART, CRASH, NO_FREE_SLOTS, ENDED_IN_USE,
                   STARTING_UP, REVOKED_PERMISSION, REFUSED_STATEMENTS, CONFLICT, BAD_VALUE,
                   DISK_FULL, COMMIT_REFUSED, LOST_COMMIT, *BROKEN_ROWS, LONG_OUTAGE)  # fmt: skip


@pytest.mark.behaviour("T1")
@pytest.mark.trials(*SLOW)
def test_requests_end_by_the_deadline(brownout_recording: Recording) -> None:
    """Whether the database's answers come too late, in drips or not at all."""
    expect_all_within(brownout_recording.met(), brownout_recording.declared.budget.latest)


@pytest.mark.behaviour("T1")
@pytest.mark.trials(*FAILING_AT_ONCE)
def test_requests_end_by_the_deadline_although_each_try_fails_at_once(
    brownout_recording: Recording,
) -> None:
    """However often and for whichever reason a service tries again, its caller has an answer."""
    expect_all_within(brownout_recording.met(), brownout_recording.declared.budget.latest)


@pytest.mark.behaviour("T2")
@pytest.mark.trials(BLACK_HOLE)
def test_requests_end_by_the_deadline_when_new_connections_and_cancels_are_swallowed(
    brownout_recording: Recording,
) -> None:
    """The first requests meet open connections, the next ones have to connect anew."""
    expect_all_within(brownout_recording.met(), brownout_recording.declared.budget.latest)


@pytest.mark.behaviour("T2", needs=fallbacks)
@pytest.mark.trials(FALLBACK)
def test_a_degraded_answer_comes_by_the_deadline_too(brownout_recording: Recording) -> None:
    """Nothing fails in a black hole, so what waits for a failure would wait for ever."""
    latest = brownout_recording.declared.budget.latest
    asked = {one.name: answers for one, answers in brownout_recording.noted("silent")}
    expect_each(asked, lambda answers: expect_all_within(answers, latest))


@pytest.mark.behaviour("T3")
@pytest.mark.trials(CROWD_IN_A_BLACK_HOLE)
def test_waiting_connecting_and_querying_share_one_budget(brownout_recording: Recording) -> None:
    """Three times as many requests as connections: some wait for the pool first, then query."""
    expect_all_within(brownout_recording.met(), brownout_recording.declared.budget.latest)


@pytest.mark.behaviour("T3")
@pytest.mark.trials(SLOW_STATEMENTS)
def test_the_statements_of_one_request_share_one_budget(brownout_recording: Recording) -> None:
    """Each round trip stays below D; only their sum does not."""
    expect_all_within(brownout_recording.note("asked"), brownout_recording.declared.budget.latest)


@pytest.mark.behaviour("T5")
@pytest.mark.trials(ABANDONED_QUERIES)
def test_no_query_survives_its_caller(brownout_recording: Recording) -> None:
    """Neither that of a caller who went away, nor that of one who was answered by the deadline."""
    expect_none_left_running(brownout_recording)


@pytest.mark.behaviour("T7")
@pytest.mark.trials(UNANSWERED_CONNECTS)
def test_connecting_has_a_time_out_of_its_own(brownout_recording: Recording) -> None:
    """A connect that nothing answers is given up, also where no request waits for it any more."""
    expect_connects_given_up(brownout_recording)


@pytest.mark.behaviour("T4")
@pytest.mark.trials(HURRIED)
def test_a_caller_s_own_deadline_is_honoured(brownout_recording: Recording) -> None:
    """Callers who wait for a third of D, and say so, are answered by then."""
    budget = brownout_recording.declared.budget
    expect_all_within(brownout_recording.note("hurried"), budget.latest - budget.request * 2 / 3)
