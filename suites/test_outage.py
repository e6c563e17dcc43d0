"""An outage is a fast and honest refusal."""

from collections.abc import Iterable

import pytest

from brownout.declaration import Operation
from brownout.expectations import (
    expect_all_within,
    expect_honest_statuses,
    expect_none_succeed,
)
from brownout.faults import (
    BlackHole,
    CutAfter,
    Fault,
    LockedTables,
    Outage,
    Reset,
    Restart,
    TerminatedBackends,
)
from brownout.observations import Answer
from brownout.postgres import Postgres
from brownout.service import RunningService
from brownout.trial import ENDED_IN_USE, LOST_COMMIT, STARTING_UP, Probe, Refusals

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("brownout_steady")]


@pytest.mark.behaviour("T6")
async def test_a_refused_connection_fails_fast(
    brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """A closed port is known at once; nobody has to wait for D."""
    declared = brownout_service.declaration
    async with brownout_postgres.inject(Outage()):
        answers = await brownout_probe.each(declared.needing_database(), declared.connections)
        answers += await brownout_probe.each(declared.needing_database(), declared.connections)
    expect_all_within(answers, declared.budget.request / 2)


@pytest.mark.behaviour("E5")
@pytest.mark.parametrize(
    "fault",
    [
        Outage(),
        Reset(),
        CutAfter(40),
        TerminatedBackends(),
        Restart(),
        ENDED_IN_USE,
        STARTING_UP,
    ],
    ids=[
        "outage",
        "reset",
        "cut",
        "terminated_backends",
        "restart",
        "ended_in_use",
        "starting_up",
    ],
)
async def test_a_database_that_is_gone_is_said_to_be_unavailable(
    fault: Fault,
    brownout_service: RunningService,
    brownout_refusals: Refusals,
    brownout_probe: Probe,
) -> None:
    """503, or 504 for a write whose COMMIT may have happened: however its connection was lost."""
    answers = await brownout_refusals.under(fault, brownout_probe)
    _expect_honest(answers, brownout_service.declaration.needing_database(), gone=True)


@pytest.mark.behaviour("E5")
async def test_a_write_whose_commit_was_not_answered_is_said_to_be_undecided(
    brownout_service: RunningService, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """503 or 504: nobody knows whether it was done, and nobody is at fault."""
    answers = await brownout_refusals.of_writes(LOST_COMMIT, brownout_probe)
    _expect_honest(answers, brownout_service.declaration.writes(), gone=True)


@pytest.mark.behaviour("E5")
@pytest.mark.parametrize(
    "fault", [BlackHole(), LockedTables()], ids=["black_hole", "locked_tables"]
)
async def test_a_database_that_never_answers_is_said_to_be_too_slow(
    fault: Fault,
    brownout_service: RunningService,
    brownout_refusals: Refusals,
    brownout_probe: Probe,
) -> None:
    """503 or 504, never 500."""
    answers = await brownout_refusals.under(fault, brownout_probe)
    _expect_honest(answers, brownout_service.declaration.needing_database(), gone=False)


def _expect_honest(
    answers: Iterable[Answer], operations: Iterable[Operation], *, gone: bool
) -> None:
    """What is honest depends on the operation, so each is judged by itself."""
    answers = tuple(answers)
    for operation in operations:
        its = [answer for answer in answers if answer.operation == operation.name]
        expect_honest_statuses(its, operation, gone=gone)


@pytest.mark.behaviour("E9")
@pytest.mark.parametrize("fault", [Outage(), BlackHole()], ids=["outage", "black_hole"])
async def test_nothing_succeeds_without_the_database(
    fault: Outage | BlackHole, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """No empty list, no made-up answer, no promise to do it later."""
    expect_none_succeed(await brownout_refusals.under(fault, brownout_probe))
