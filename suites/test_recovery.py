"""Every fault heals without a restart."""

import pytest

from brownout.expectations import (
    expect_all_succeed,
    expect_few_connects,
    expect_fresh_again,
    expect_near_baseline,
    expect_recovered,
    expect_recovered_meanwhile,
)
from brownout.observations import Latencies
from brownout.trial import Recording
from brownout.trial.plan import (
    BACK_AT_BASELINE,
    BROKEN_ROWS,
    CROWD_IN_A_BLACK_HOLE,
    EVERY_FAULT,
    FEED,
    FLAPPING,
    FULL_POOL,
    HANG_UPS,
    LONG_OUTAGE,
    OUTAGE,
    RECONNECTING,
    REFUSED_STATEMENTS,
    SILENT_CONNECTIONS,
    SWITCHOVER,
    WRITES_MEET,
)

OTHER_FAULTS = [trial for trial in EVERY_FAULT if trial is not OUTAGE]


@pytest.mark.behaviour("V1")
@pytest.mark.trials(OUTAGE, LONG_OUTAGE)
def test_the_service_comes_back_by_itself(brownout_recording: Recording) -> None:
    """After a short outage and a long one, within RTO and in the same process. Not assessed where
    it is seen late since requests wait for their turn at the declared pace."""
    expect_recovered(brownout_recording)


@pytest.mark.behaviour("V2")
@pytest.mark.trials(
    *OTHER_FAULTS, HANG_UPS, *WRITES_MEET, CROWD_IN_A_BLACK_HOLE, FULL_POOL, *BROKEN_ROWS,
    REFUSED_STATEMENTS,
)  # fmt: skip
def test_every_kind_of_fault_heals(brownout_recording: Recording) -> None:
    """One kind like the other, without a restart; also what only writes meet, such as a full disk,
    and what a crowd leaves behind."""
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


@pytest.mark.behaviour("V4")
@pytest.mark.trials(RECONNECTING)
def test_reconnecting_does_not_flood_the_database(brownout_recording: Recording) -> None:
    """While a server that is starting up refuses connections, and when it accepts them again."""
    expect_few_connects(brownout_recording)


@pytest.mark.behaviour("V5")
@pytest.mark.trials(FLAPPING)
def test_several_outages_in_a_row_end_like_one(brownout_recording: Recording) -> None:
    """Within RTO of the last one."""
    expect_recovered(brownout_recording)


@pytest.mark.behaviour("V6")
@pytest.mark.trials(SILENT_CONNECTIONS)
def test_silent_connections_are_replaced(brownout_recording: Recording) -> None:
    """Nothing says that they are dead, and nothing ever will; new ones work."""
    expect_recovered_meanwhile(brownout_recording)


@pytest.mark.behaviour("V7")
@pytest.mark.trials(SWITCHOVER)
def test_writes_follow_a_switchover(brownout_recording: Recording) -> None:
    """Old sessions refuse to write (25006), new ones do not."""
    expect_recovered_meanwhile(brownout_recording)


@pytest.mark.behaviour("V8")
@pytest.mark.trials(*FEED)
def test_background_consumers_come_back(brownout_recording: Recording) -> None:
    """They connect again, and read what they missed."""
    expect_fresh_again(brownout_recording)
