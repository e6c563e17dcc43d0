"""The control: while nothing is broken, the service meets its budget.

A service that fails here cannot be judged anywhere else.
"""

import pytest

from brownout.expectations import expect_all_succeed, expect_all_within
from brownout.trial import Recording
from brownout.trial.plan import STEADY


@pytest.mark.trials(STEADY)
def test_every_operation_succeeds(brownout_recording: Recording) -> None:
    """Without any fault, nothing fails."""
    expect_all_succeed(brownout_recording.note("asked"))


@pytest.mark.trials(STEADY)
def test_every_operation_meets_the_deadline(brownout_recording: Recording) -> None:
    """Without any fault, nothing takes longer than D."""
    expect_all_within(brownout_recording.note("asked"), brownout_recording.declared.budget.request)
