"""Work that waits for the database starves nobody."""

import math

import pytest

from brownout.declaration import Operation
from brownout.expectations import (
    expect_all_succeed,
    expect_near_baseline,
    expect_parallel,
)
from brownout.faults import Latency
from brownout.observations import SAMPLES, Latencies
from brownout.postgres import Postgres
from brownout.service import RunningService
from brownout.trial import Baseline, Load, Probe, alone_and_together
from brownout.units import ms

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("brownout_steady")]

# asyncio's `slow_callback_duration`: a loop that is held for longer is held too long.
FREE = ms(100)


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

    Asked at a fixed pace: who waits for each answer asks hardly ever while the loop is held. And
    for as long as three slow answers take, of which one is left out: a loop that waits for the
    database is held each time it waits, a service that got no core for a moment only once.
    """
    declared = brownout_service.declaration
    if route == "liveness":
        operation = Operation.route(declared.health.required_live())
    else:
        operation = declared.without_database()[0]
    baseline = await brownout_baseline.of(operation, brownout_probe)
    slowness = declared.budget.request / 4
    pace = max(baseline.pace, slowness * 2 / SAMPLES)
    apart = math.ceil(slowness / pace)
    waiting, *others = declared.needing_database()
    async with (
        brownout_postgres.inject(Latency(slowness)),
        brownout_load.crowd(waiting, callers=declared.connections),
        # One caller is enough to hold up all others, and fewer requests come to their deadline.
        brownout_load.crowd(*(others or [waiting]), callers=1),
        brownout_load.paced(operation, every=pace) as asked,
    ):
        samples = SAMPLES + apart
        await asked.adds(samples, within=pace * samples + declared.budget.latest)
    expect_all_succeed(asked.answers)
    expect_near_baseline(
        Latencies.apart_from_worst(asked.answers, apart),
        baseline,
        ceiling=baseline.p99 + FREE,
        what=operation.name,
    )


@pytest.mark.behaviour("X3")
async def test_requests_wait_side_by_side(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """Twice as many requests as one process has connections take two rounds, not one round each."""
    declared = brownout_service.declaration
    for operation in declared.reads():
        alone, answers = await alone_and_together(
            operation, declared, brownout_postgres, brownout_probe
        )
        expect_all_succeed([alone, *answers])
        expect_parallel(answers, alone=alone.elapsed, connections=declared.budget.pool)
