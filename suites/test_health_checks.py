"""Liveness and readiness tell the truth: alive throughout, ready only when it can serve."""

import asyncio
from datetime import timedelta

import pytest

from brownout.declaration import Operation
from brownout.expectations import (
    expect_all_succeed,
    expect_all_within,
    expect_near_baseline,
    expect_reached,
)
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
from brownout.observations import Answer, Latencies
from brownout.postgres import Postgres
from brownout.service import RunningService
from brownout.trial import Load, Probe
from brownout.units import seconds

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("brownout_steady")]

# Kubernetes' default `timeoutSeconds` of a probe.
PROBE_TIMEOUT = seconds(1)


@pytest.mark.behaviour("H0")
async def test_there_is_a_liveness_and_a_readiness_route(
    brownout_service: RunningService, brownout_probe: Probe
) -> None:
    """Both are declared, and both answer 2xx while all is well."""
    health = brownout_service.declaration.health
    assert health.live is not None, "no liveness route is declared"
    assert health.ready is not None, "no readiness route is declared"
    expect_all_succeed([await brownout_probe.get(health.live)])
    expect_all_succeed([await brownout_probe.get(health.ready)])


@pytest.mark.behaviour("H1")
@pytest.mark.parametrize(
    "fault",
    [
        Outage(),
        BlackHole(),
        NoFreeSlots(),
        Reset(),
        Latency(seconds(3)),
        Bandwidth(1000, Direction.BOTH),
        CutAfter(40),
        TerminatedBackends(),
        Restart(),
        LockedTables(),
        RevokedPermission(),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_liveness_answers_throughout(
    fault: Fault,
    brownout_service: RunningService,
    brownout_postgres: Postgres,
    brownout_probe: Probe,
) -> None:
    """A restart would not bring the database back, so liveness must not ask for one."""
    declared = brownout_service.declaration
    live = declared.health.required_live()
    async with brownout_postgres.inject(fault) as injection:
        under_way = asyncio.create_task(
            brownout_probe.meet(injection, declared.needing_database(), declared.connections)
        )
        history = await brownout_probe.until(
            lambda: brownout_probe.get(live), lambda _: under_way.done(), within=timedelta.max
        )
        await under_way
    expect_all_succeed(history.answers)


@pytest.mark.behaviour("H2")
async def test_liveness_is_fast_under_fault_and_load(
    brownout_service: RunningService,
    brownout_postgres: Postgres,
    brownout_probe: Probe,
    brownout_load: Load,
) -> None:
    """p99 within a probe's time-out while callers queue for a database that never answers."""
    declared = brownout_service.declaration
    live = declared.health.required_live()
    liveness = Operation.read(live, "GET", live, success=range(200, 300))
    crowd = declared.connections * 2
    async with (
        brownout_postgres.inject(BlackHole()),
        brownout_load.crowd(*declared.needing_database(), callers=crowd),
    ):
        answers = await brownout_probe.samples(liveness, ceiling=PROBE_TIMEOUT)
    expect_all_succeed(answers)
    expect_near_baseline(Latencies.of(answers), ceiling=PROBE_TIMEOUT, what="Liveness")


@pytest.mark.behaviour("H3")
async def test_readiness_fails_in_an_outage(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """As often in a row as an orchestrator asks for, and within as many of its periods."""
    health = brownout_service.declaration.health
    ready, within = health.required_ready(), health.period * health.threshold
    failed = 0

    def for_good(answer: Answer) -> bool:
        nonlocal failed
        failed = 0 if answer.succeeded else failed + 1
        return failed >= health.threshold

    async with brownout_postgres.inject(Outage()):
        history = await brownout_probe.until(
            lambda: brownout_probe.get(ready), for_good, within=within
        )
    expect_reached(history, promise="Readiness fails while the database is gone.", within=within)


@pytest.mark.behaviour("H4")
async def test_readiness_comes_back_after_an_outage(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """Within RTO of the heal, in the same process."""
    declared = brownout_service.declaration
    ready, within = declared.health.required_ready(), declared.budget.recovery
    process = brownout_service.pid
    async with brownout_postgres.inject(Outage()):
        await brownout_probe.until(
            lambda: brownout_probe.get(ready),
            lambda answer: not answer.succeeded,
            within=declared.health.period * declared.health.threshold,
        )
    history = await brownout_probe.until(
        lambda: brownout_probe.get(ready), lambda answer: answer.succeeded, within=within
    )
    expect_reached(history, promise="Readiness comes back by itself.", within=within)
    assert brownout_service.pid == process


@pytest.mark.behaviour("H5")
async def test_readiness_answers_when_the_database_never_does(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """Within a probe's time-out, whatever the answer: asked for a whole probe period, while
    requests wait."""
    declared = brownout_service.declaration
    ready = declared.health.required_ready()
    async with brownout_postgres.inject(BlackHole()):
        under_way = asyncio.create_task(brownout_probe.each(declared.needing_database()))
        history = await brownout_probe.until(
            lambda: brownout_probe.get(ready), lambda _: False, within=declared.health.period
        )
        await under_way
    expect_all_within(history.answers, PROBE_TIMEOUT)
