"""Every fault heals without a restart."""

import pytest

from brownout.expectations import expect_all_succeed, expect_near_baseline, expect_recovered
from brownout.observations import Latencies
from brownout.trial import Recording
from brownout.trial.plan import BACK_AT_BASELINE, EVERY_FAULT, HANG_UPS, OUTAGE

OTHER_FAULTS = [trial for trial in EVERY_FAULT if trial is not OUTAGE]


@pytest.mark.behaviour("V1")
@pytest.mark.trials(OUTAGE)
def test_the_service_comes_back_by_itself(brownout_recording: Recording) -> None:
    """After an outage that its callers noticed, within RTO and in the same process."""
    expect_recovered(brownout_recording)


@pytest.mark.behaviour("V2")
@pytest.mark.trials(*OTHER_FAULTS, HANG_UPS)
def test_every_kind_of_fault_heals(brownout_recording: Recording) -> None:
    """One kind like the other, without a restart."""
    expect_recovered(brownout_recording)


@pytest.mark.behaviour("V3")
@pytest.mark.trials(BACK_AT_BASELINE)
def test_latency_is_back_at_its_baseline(brownout_recording: Recording) -> None:
    """Once the service is back, it is as good as it was."""
    operation = brownout_recording.declared.reads()[0]
    baseline = brownout_recording.baseline(operation.name)
    expect_recovered(brownout_recording)
    answers = brownout_recording.note("sampled")
    expect_all_succeed(answers)
    expect_near_baseline(
        Latencies.of(answers), baseline, ceiling=baseline.ceiling, what=operation.name
    )
