"""Every fault heals without a restart."""

from collections.abc import Callable

import pytest

from brownout.expectations import expect_all_succeed, expect_near_baseline, expect_recovered
from brownout.faults import (
    Bandwidth,
    BlackHole,
    CutAfter,
    Direction,
    Fault,
    Latency,
    LockedTables,
    NoFreeSlots,
    Outage,
    Reset,
    Restart,
    RevokedPermission,
    TerminatedBackends,
)
from brownout.observations import Latencies
from brownout.postgres import Postgres
from brownout.service import RunningService
from brownout.trial import Baseline, Probe, SteadyState
from brownout.units import seconds

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("brownout_steady")]


@pytest.mark.behaviour("V1")
async def test_the_service_comes_back_by_itself(
    brownout_service: RunningService,
    brownout_postgres: Postgres,
    brownout_probe: Probe,
    record_property: Callable[[str, object], None],
) -> None:
    """After an outage that its callers noticed, within RTO and in the same process."""
    declared = brownout_service.declaration
    process = brownout_service.pid
    async with brownout_postgres.inject(Outage()):
        for _ in range(3):
            await brownout_probe.each(declared.needing_database(), declared.connections)
    recovery = await SteadyState(declared).reached(brownout_probe, within=declared.budget.recovery)
    record_property("brownout", {"recovered_after_seconds": recovery.after.total_seconds()})
    expect_recovered(recovery, within=declared.budget.recovery)
    assert brownout_service.pid == process


@pytest.mark.behaviour("V2")
@pytest.mark.parametrize(
    "fault",
    [
        Latency(seconds(2)),
        Bandwidth(1000, Direction.BOTH),
        BlackHole(),
        BlackHole(Direction.TO_SERVICE),
        Reset(),
        CutAfter(40),
        TerminatedBackends(),
        Restart(),
        NoFreeSlots(),
        LockedTables(),
        RevokedPermission(),
    ],
    ids=[
        "latency",
        "bandwidth",
        "black_hole",
        "black_hole_to_service",
        "reset",
        "cut",
        "terminated_backends",
        "restart",
        "no_free_slots",
        "locked_tables",
        "revoked_permission",
    ],
)
async def test_every_kind_of_fault_heals(
    fault: Fault,
    brownout_service: RunningService,
    brownout_postgres: Postgres,
    brownout_probe: Probe,
    record_property: Callable[[str, object], None],
) -> None:
    """One kind heals like the other, without a restart."""
    declared = brownout_service.declaration
    process = brownout_service.pid
    async with brownout_postgres.inject(fault) as injection:
        await brownout_probe.meet(injection, declared.needing_database(), declared.connections)
    recovery = await SteadyState(declared).reached(brownout_probe, within=declared.budget.recovery)
    record_property("brownout", {"recovered_after_seconds": recovery.after.total_seconds()})
    expect_recovered(recovery, within=declared.budget.recovery)
    assert brownout_service.pid == process


@pytest.mark.behaviour("V3")
async def test_latency_is_back_at_its_baseline(
    brownout_service: RunningService,
    brownout_postgres: Postgres,
    brownout_probe: Probe,
    brownout_baseline: Baseline,
) -> None:
    """Once the service is back, it is as good as it was."""
    declared = brownout_service.declaration
    operation = declared.reads()[0]
    baseline = await brownout_baseline.of(operation, brownout_probe)
    async with brownout_postgres.inject(BlackHole()):
        await brownout_probe.each(declared.needing_database(), declared.connections)
    recovery = await SteadyState(declared).reached(brownout_probe, within=declared.budget.recovery)
    expect_recovered(recovery, within=declared.budget.recovery)
    answers = await brownout_probe.samples(operation, ceiling=baseline.ceiling)
    expect_all_succeed(answers)
    expect_near_baseline(
        Latencies.of(answers), baseline, ceiling=baseline.ceiling, what=operation.name
    )
