"""Acknowledged writes survive, and none is doubled."""

import pytest

from brownout.expectations import expect_acknowledged_applied, expect_none_doubled
from brownout.trial import Recording
from brownout.trial.plan import WRITE_HISTORIES


@pytest.mark.behaviour("C1")
@pytest.mark.trials(WRITE_HISTORIES)
def test_no_acknowledged_write_is_lost(brownout_recording: Recording) -> None:
    """Writers go on while answers are lost, connections die and the server restarts."""
    for operation in brownout_recording.declared.recorded_writes():
        history = brownout_recording.note(f"history {operation.name}")
        expect_acknowledged_applied(history, brownout_recording.applied)


@pytest.mark.behaviour("C3")
@pytest.mark.trials(WRITE_HISTORIES)
def test_no_write_is_doubled(brownout_recording: Recording) -> None:
    """A write of unknown fate is asked for again with its key, where it has one."""
    for operation in brownout_recording.declared.recorded_writes():
        history = brownout_recording.note(f"history {operation.name}")
        expect_none_doubled(history, brownout_recording.applied)
