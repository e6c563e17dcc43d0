"""Excess requests are refused at once, and those that are accepted stay fast.

The load waits for no answer, and each request is due at a moment that is fixed before. Where the
load itself was late, only what that cannot explain is judged.
"""

from functools import partial

import pytest

from brownout.declaration.needs import concurrency
from brownout.expectations import (
    expect_accepted_in_time,
    expect_as_before,
    expect_each,
    expect_excess_answered,
    expect_excess_refused,
    expect_goodput,
)
from brownout.trial import Recording
from brownout.trial.plan import OVERLOAD


@pytest.mark.behaviour("L1")
@pytest.mark.trials(OVERLOAD)
def test_goodput_holds_at_twice_of_what_saturates(brownout_recording: Recording) -> None:
    """After a spike, at that: what piled up in it is not worked off in vain. A service that
    declares a pace is not asked for more."""
    expect_goodput(brownout_recording, "double")


@pytest.mark.behaviour("L2")
@pytest.mark.trials(OVERLOAD)
def test_what_is_accepted_in_a_spike_is_answered_in_time(brownout_recording: Recording) -> None:
    """Ten times as many requests as can be served."""
    expect_accepted_in_time(brownout_recording, "spike")


@pytest.mark.behaviour("L3", needs=concurrency)
@pytest.mark.trials(OVERLOAD)
def test_what_is_too_much_is_refused_at_once(brownout_recording: Recording) -> None:
    """With 503, or 429: as many requests as are over the declared concurrency."""
    expect_excess_refused(brownout_recording, "spike")


@pytest.mark.behaviour("L4")
@pytest.mark.trials(OVERLOAD)
def test_after_a_spike_all_is_as_before(brownout_recording: Recording) -> None:
    """Within RTO, in the same process, and by itself."""
    expect_as_before(brownout_recording.note("before"), brownout_recording.note("after"))
    assert brownout_recording.same_process


@pytest.mark.behaviour("L5")
@pytest.mark.trials(OVERLOAD)
def test_a_ramp_and_an_impulse_are_met_alike(brownout_recording: Recording) -> None:
    """Load that grows, and many requests in one moment: what is accepted and what is refused is
    answered in time."""
    judged = {
        f"{judge.__name__} {name}": partial(judge, brownout_recording, name)
        for judge in (expect_accepted_in_time, expect_excess_answered)
        for name in ("ramp", "impulse")
    }
    expect_each(judged, lambda judge: judge())
