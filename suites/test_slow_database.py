"""Slowness is bounded: however long the database takes, the caller is answered by D."""

import pytest

from brownout.expectations import expect_all_within
from brownout.faults import BlackHole, Direction, Latency
from brownout.postgres import Postgres
from brownout.service import RunningService
from brownout.trial import SILENT_COMMIT, Probe, Refusals

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("brownout_steady")]


@pytest.mark.behaviour("T1")
async def test_requests_end_by_the_deadline_under_latency(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """Every answer of the database comes later than D."""
    declared = brownout_service.declaration
    async with brownout_postgres.inject(Latency(declared.budget.request * 2)):
        answers = await brownout_probe.each(declared.needing_database(), declared.connections)
    expect_all_within(answers, declared.budget.latest)


@pytest.mark.behaviour("T1")
async def test_requests_end_by_the_deadline_when_no_answer_of_the_database_arrives(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """Statements and cancel requests arrive; their answers do not."""
    declared = brownout_service.declaration
    async with brownout_postgres.inject(BlackHole(Direction.TO_SERVICE)):
        answers = await brownout_probe.each(declared.needing_database(), declared.connections)
    expect_all_within(answers, declared.budget.latest)


@pytest.mark.behaviour("T1")
async def test_a_write_ends_by_the_deadline_when_its_commit_is_not_answered(
    brownout_service: RunningService, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """Every statement before it was answered at once."""
    answers = await brownout_refusals.of_writes(SILENT_COMMIT, brownout_probe)
    expect_all_within(answers, brownout_service.declaration.budget.latest)


@pytest.mark.behaviour("T2")
async def test_requests_end_by_the_deadline_when_new_connections_and_cancels_are_swallowed(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """The first requests meet open connections, the next ones have to connect anew."""
    declared = brownout_service.declaration
    async with brownout_postgres.inject(BlackHole()):
        answers = await brownout_probe.each(declared.needing_database(), declared.connections)
        answers += await brownout_probe.each(declared.needing_database(), declared.connections)
    expect_all_within(answers, declared.budget.latest)


@pytest.mark.behaviour("T3")
async def test_waiting_connecting_and_querying_share_one_budget(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """Three times as many requests as connections: some wait for the pool first, then query."""
    declared = brownout_service.declaration
    async with brownout_postgres.inject(BlackHole()):
        answers = await brownout_probe.each(declared.needing_database(), declared.connections * 3)
    expect_all_within(answers, declared.budget.latest)


@pytest.mark.behaviour("T3")
async def test_the_statements_of_one_request_share_one_budget(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """Each round trip stays below D; only their sum does not.

    Nobody waits for the pool, where those of one statement could keep the others out, and nobody
    connects: who has to, would not get to a second statement.
    """
    declared = brownout_service.declaration
    operations = declared.needing_database()
    async with brownout_postgres.inject(Latency(declared.budget.request / 50)):
        await brownout_probe.each(operations, declared.connections)
    async with brownout_postgres.inject(Latency(declared.budget.request * 0.7)):
        answers = await brownout_probe.each(
            operations, max(1, declared.budget.pool // len(operations))
        )
    expect_all_within(answers, declared.budget.latest)
