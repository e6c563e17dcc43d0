"""Saturation sheds load, keeps to the pool's size, and heals."""

import asyncio
from datetime import timedelta

import pytest

from brownout import FaultNotFelt, Kind, NotAssessable, Operation
from brownout.expectations import (
    expect_all_succeed,
    expect_all_within,
    expect_at_most_failures,
    expect_at_most_sessions,
    expect_near_baseline,
    expect_none_idle_in_transaction,
    expect_parallel,
    expect_recovered,
    expect_unavailable,
)
from brownout.faults import (
    BlackHole,
    Fault,
    Latency,
    LockedTables,
    NoFreeSlots,
    Outage,
    RevokedPermission,
    TerminatedBackends,
)
from brownout.observations import SAMPLES, Latencies
from brownout.postgres import Postgres
from brownout.service import RunningService
from brownout.trial import CONFLICT, Baseline, Load, Probe, SteadyState, alone_and_together
from brownout.units import ms, seconds

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("brownout_steady")]


@pytest.mark.behaviour("P1")
async def test_sessions_never_exceed_the_pool_under_load(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_load: Load
) -> None:
    """Four times as many callers as connections, of every operation: a pool for each of them would
    add up; and the database a little slow."""
    declared = brownout_service.declaration
    operations = declared.needing_database()
    counts: list[int] = []
    async with (
        brownout_postgres.inject(Latency(ms(20))),
        brownout_load.crowd(*operations, callers=declared.connections * 4) as stream,
    ):
        while len(stream.answers) < declared.connections * 8 * len(operations):
            counts.append(len(await asyncio.to_thread(brownout_postgres.sessions)))
    expect_at_most_sessions(counts, declared.sessions)


@pytest.mark.behaviour("P1")
async def test_sessions_do_not_exceed_the_pool_after_an_outage(
    brownout_service: RunningService,
    brownout_postgres: Postgres,
    brownout_probe: Probe,
    brownout_load: Load,
) -> None:
    """Everybody reconnects at once."""
    declared = brownout_service.declaration
    operation = declared.needing_database()[0]
    async with brownout_load.crowd(operation, callers=declared.connections * 2) as stream:
        async with brownout_postgres.inject(Outage()):
            await stream.adds(
                declared.connections * 2,
                lambda answer: not answer.succeeded,
                within=declared.budget.latest * 2,
            )
        recovery = await SteadyState(declared).reached(
            brownout_probe, within=declared.budget.recovery
        )
        expect_recovered(recovery, within=declared.budget.recovery)
        counts = [
            len(await asyncio.to_thread(brownout_postgres.sessions)) for _ in range(SAMPLES // 4)
        ]
    expect_at_most_sessions(counts, declared.sessions)


@pytest.mark.behaviour("P1")
async def test_sessions_do_not_exceed_the_pool_after_slowness(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """Requests and probes that were given up hold no session when all is well again."""
    declared = brownout_service.declaration
    async with brownout_postgres.inject(Latency(declared.budget.request)):
        asked = [brownout_probe.each(declared.needing_database(), declared.connections)]
        if declared.health.ready is not None:
            probes = [Operation.route(declared.health.ready)]
            asked.append(brownout_probe.each(probes, declared.connections))
        await asyncio.gather(*asked)
    recovery = await SteadyState(declared).reached(brownout_probe, within=declared.budget.recovery)
    expect_recovered(recovery, within=declared.budget.recovery)
    sessions = await asyncio.to_thread(brownout_postgres.sessions)
    expect_at_most_sessions([len(sessions)], declared.sessions)


@pytest.mark.behaviour("P2")
async def test_a_crowd_before_a_full_pool_is_refused_in_time(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """Every connection waits for a lock. Nobody waits beyond D; whoever gets no connection is
    refused with 503."""
    declared = brownout_service.declaration
    connections = declared.connections
    async with brownout_postgres.inject(LockedTables()):
        answers = await brownout_probe.burst(declared.needing_database()[0], connections * 10)
    expect_all_within(answers, declared.budget.latest)
    by_status = sorted(answers, key=lambda answer: answer.status == 503)
    expect_unavailable(by_status[connections:])


@pytest.mark.behaviour("P3")
async def test_the_pool_is_whole_after_callers_went_away(
    brownout_service: RunningService,
    brownout_postgres: Postgres,
    brownout_probe: Probe,
    brownout_load: Load,
) -> None:
    """A hundred callers hang up while the database works for them, at one step of it or another."""
    declared = brownout_service.declaration
    # A read where there is one: writes may have to wait for each other.
    operation = min(declared.needing_database(), key=lambda one: one.kind is Kind.WRITE)
    rounds = -(-100 // declared.connections)
    # Who hangs up may cost a connection, so that the next one has to connect first: eight round
    # trips lead through that and through a transaction.
    async with brownout_postgres.inject(Latency(ms(20))):
        for step in range(rounds):
            await brownout_load.abort(
                *declared.needing_database(),
                count=declared.connections,
                after=ms(10) + ms(20) * (step % 8),
            )
    recovery = await SteadyState(declared).reached(brownout_probe, within=declared.budget.recovery)
    expect_recovered(recovery, within=declared.budget.recovery)
    # The pool may have shrunk to what it needs; whole is what it can grow to.
    alone, answers = await alone_and_together(
        operation, declared, brownout_postgres, brownout_probe
    )
    expect_all_succeed([alone, *answers])
    expect_parallel(answers, alone=alone.elapsed, connections=declared.budget.pool)


@pytest.mark.behaviour("P5")
@pytest.mark.parametrize(
    "fault",
    [RevokedPermission(), LockedTables(), BlackHole()],
    ids=["failing_statements", "aborted_waits", "lost_statements"],
)
async def test_no_transaction_is_left_open(
    fault: Fault,
    brownout_service: RunningService,
    brownout_postgres: Postgres,
    brownout_probe: Probe,
) -> None:
    """A transaction that met a fault is ended, by its service or by its time-out, within D."""
    declared = brownout_service.declaration
    async with brownout_postgres.inject(fault) as injection:
        await brownout_probe.meet(injection, declared.needing_database(), declared.connections)
    await _expect_transactions_end(brownout_postgres, grace=declared.budget.request)


@pytest.mark.behaviour("P5")
async def test_no_transaction_is_left_open_by_a_conflict(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """An error that is an answer ends its transaction too."""
    declared = brownout_service.declaration
    writes = declared.writes()
    try:
        async with brownout_postgres.inject(CONFLICT):
            await brownout_probe.each(writes)
    except FaultNotFelt:
        raise NotAssessable("No write inserts anything.") from None
    await _expect_transactions_end(brownout_postgres, grace=declared.budget.request)


@pytest.mark.behaviour("P5")
async def test_no_transaction_is_left_open_by_callers_who_went_away(
    brownout_service: RunningService,
    brownout_postgres: Postgres,
    brownout_load: Load,
) -> None:
    """They hang up at one step of their transactions or another."""
    declared = brownout_service.declaration
    async with brownout_postgres.inject(Latency(ms(20))):
        for step in range(8):
            await brownout_load.abort(
                *declared.needing_database(),
                count=declared.connections,
                after=ms(10) + ms(20) * step,
            )
    await _expect_transactions_end(brownout_postgres, grace=declared.budget.request)


async def _expect_transactions_end(postgres: Postgres, *, grace: timedelta) -> None:
    """Within `grace`; looked for until none is open any more, or for a little longer than that."""
    began = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() - began < grace.total_seconds() * 1.2:
        sessions = await asyncio.to_thread(postgres.sessions)
        if not any((session.state or "").startswith("idle in") for session in sessions):
            break
        await asyncio.sleep(0.05)
    expect_none_idle_in_transaction(sessions, longer_than=grace)


@pytest.mark.behaviour("P6")
async def test_killed_connections_cost_at_most_one_request_each(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """Asked one after the other and all at once, until each dead connection must have been met."""
    declared = brownout_service.declaration
    for operation in declared.needing_database():
        try:
            async with brownout_postgres.inject(TerminatedBackends()):
                answers = [await brownout_probe.ask(operation) for _ in range(declared.connections)]
                answers += await brownout_probe.burst(operation, declared.connections)
        except FaultNotFelt:
            raise NotAssessable("Between requests the service holds no connection.") from None
        expect_at_most_failures(answers, declared.connections)
        later = await brownout_probe.burst(operation, declared.connections)
        later += [await brownout_probe.ask(operation) for _ in range(declared.connections)]
        expect_all_succeed(later)


@pytest.mark.behaviour("P9")
async def test_too_many_connections_is_a_refusal_that_heals(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """53300 gives 503; when there are slots again, the service takes them."""
    declared = brownout_service.declaration
    async with brownout_postgres.inject(NoFreeSlots()):
        await brownout_probe.each(declared.needing_database(), declared.connections)
        answers = await brownout_probe.each(declared.needing_database(), declared.connections)
    expect_unavailable(answers)
    recovery = await SteadyState(declared).reached(brownout_probe, within=declared.budget.recovery)
    expect_recovered(recovery, within=declared.budget.recovery)


@pytest.mark.behaviour("P10")
@pytest.mark.parametrize(
    "fault", [Latency(seconds(0.3)), Outage(), BlackHole()], ids=["slow", "gone", "silent"]
)
async def test_routes_without_a_database_stay_fast(
    fault: Fault,
    brownout_service: RunningService,
    brownout_postgres: Postgres,
    brownout_probe: Probe,
    brownout_load: Load,
    brownout_baseline: Baseline,
) -> None:
    """While callers queue for the database."""
    declared = brownout_service.declaration
    operation = declared.without_database()[0]
    baseline = await brownout_baseline.of(operation, brownout_probe)
    async with (
        brownout_postgres.inject(fault),
        brownout_load.crowd(*declared.needing_database(), callers=declared.connections * 2),
    ):
        answers = await brownout_probe.samples(operation, ceiling=baseline.ceiling)
    expect_all_succeed(answers)
    expect_near_baseline(
        Latencies.of(answers), baseline, ceiling=baseline.ceiling, what="A route without database"
    )
