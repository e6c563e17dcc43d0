"""The process outlives its database's faults."""

import pytest

from brownout.expectations import expect_process_alive
from brownout.trial import Recording
from brownout.trial.plan import EVERY_FAULT, WRITES_MEET


@pytest.mark.behaviour("S6")
@pytest.mark.trials(*EVERY_FAULT, *WRITES_MEET)
def test_no_fault_ends_the_process(brownout_recording: Recording) -> None:
    """Whether the fault meets requests or idle connections."""
    expect_process_alive(brownout_recording)
