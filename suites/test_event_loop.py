"""Work that waits for the database starves no other."""

import pytest

from brownout.expectations import expect_free_event_loop, expect_parallel
from brownout.trial import Recording
from brownout.trial.plan import EVENT_LOOP, SIDE_BY_SIDE


@pytest.mark.behaviour("X1")
@pytest.mark.trials(*EVENT_LOOP)
def test_the_event_loop_stays_free(brownout_recording: Recording) -> None:
    """Requests that wait for a slow database hold up no other."""
    expect_free_event_loop(brownout_recording)


@pytest.mark.behaviour("X3")
@pytest.mark.trials(SIDE_BY_SIDE)
def test_reads_wait_side_by_side(brownout_recording: Recording) -> None:
    """Twice as many requests as one process has connections take two rounds, not one round each."""
    for operation in brownout_recording.declared.reads():
        expect_parallel(brownout_recording, operation)


@pytest.mark.behaviour("X3")
@pytest.mark.trials(SIDE_BY_SIDE)
def test_writes_wait_side_by_side(brownout_recording: Recording) -> None:
    """So do writes, where it is not the database's own locks that make them wait."""
    for operation in brownout_recording.declared.writes():
        expect_parallel(brownout_recording, operation)
