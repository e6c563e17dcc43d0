"""Work that waits for the database starves nobody."""

import pytest

from brownout.declaration import Operation
from brownout.expectations import (
    expect_all_succeed,
    expect_near_baseline,
    expect_parallel,
)
from brownout.faults import Latency
from brownout.load import Load
from brownout.observations import SAMPLES, Latencies
from brownout.postgres import Postgres
from brownout.probes import Probe
from brownout.runner import RunningService
from brownout.steady import Baseline
from brownout.units import ms

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("brownout_steady")]

# asyncio's `slow_callback_duration`: a loop that is held for longer is held too long.
FREE = ms(100)
PACE = ms(5)


@pytest.mark.behaviour("X1")
@pytest.mark.parametrize("route", ["liveness", "without_database"])
async def test_the_event_loop_stays_free(
    route: str,
    brownout_service: RunningService,
    brownout_postgres: Postgres,
    brownout_probe: Probe,
    brownout_load: Load,
    brownout_baseline: Baseline,
) -> None:
    """Requests that wait for a slow database hold up nobody else.

    Asked at a fixed pace for as long as the slow ones take twice: who waits for each answer asks
    hardly ever while the loop is held.
    """
    declared = brownout_service.declaration
    if route == "liveness":
        operation = Operation.route(declared.health.required_live())
    else:
        operation = declared.without_database()[0]
    baseline = await brownout_baseline.of(operation, brownout_probe)
    slowness = declared.budget.request / 4
    pace = max(PACE, slowness * 2 / SAMPLES)
    waiting = declared.needing_database()[0]
    async with (
        brownout_postgres.inject(Latency(slowness)),
        brownout_load.crowd(waiting, callers=declared.connections),
        brownout_load.paced(operation, every=pace) as asked,
    ):
        await asked.adds(SAMPLES, within=pace * SAMPLES + declared.budget.latest)
    expect_all_succeed(asked.answers)
    expect_near_baseline(
        Latencies.of(asked.answers), baseline, ceiling=baseline.p99 + FREE, what=operation.name
    )


@pytest.mark.behaviour("X3")
async def test_requests_wait_side_by_side(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """Twice as many requests as connections take two rounds, not one round each."""
    declared = brownout_service.declaration
    for operation in declared.reads():
        # Connecting takes several round trips, so let the pool fill before the clock runs.
        async with brownout_postgres.inject(Latency(declared.budget.request / 20)):
            await brownout_probe.burst(operation, declared.connections * 2)
        async with brownout_postgres.inject(Latency(declared.budget.request / 8)):
            alone = await brownout_probe.ask(operation)
            answers = await brownout_probe.burst(operation, declared.connections * 2)
        expect_all_succeed([alone, *answers])
        expect_parallel(answers, alone=alone.elapsed, connections=declared.connections)
