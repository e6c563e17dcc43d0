"""One format for every refusal, and nothing leaks."""

import pytest

from brownout.expectations import (
    expect_error_media_type,
    expect_no_leak,
    expect_retry_after,
    expect_status_member,
    expect_valid_bodies,
    expect_valid_retry_after,
    expect_whole_answers,
)
from brownout.faults import (
    BlackHole,
    CutAfter,
    Fault,
    Latency,
    LockedTables,
    NoFreeSlots,
    Outage,
    Reset,
    RevokedPermission,
)
from brownout.observations import Answer
from brownout.postgres import Postgres
from brownout.service import RunningService
from brownout.trial import CONFLICT, ENDED_IN_USE, LOST_COMMIT, SILENT_COMMIT, Probe, Refusals

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("brownout_steady")]

# Between them they make a service refuse in every way it has: at once, at its deadline, for a lost
# connection, for a session ended under its hands, for want of a slot, for a lock, and with an error
# that nobody foresaw.
FAULTS: dict[str, Fault] = {
    "outage": Outage(),
    "black_hole": BlackHole(),
    "reset": Reset(),
    "ended_in_use": ENDED_IN_USE,
    "no_free_slots": NoFreeSlots(),
    "locked_tables": LockedTables(),
    "revoked_permission": RevokedPermission(),
}
REFUSING = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)

# What writes alone may meet: a key that is there already, and a COMMIT of unknown fate.
REFUSING_WRITES = pytest.mark.parametrize(
    "fault",
    [CONFLICT, LOST_COMMIT, SILENT_COMMIT],
    ids=["conflict", "lost_commit", "silent_commit"],
)


@pytest.mark.behaviour("E1")
@REFUSING
async def test_every_error_has_the_declared_media_type(
    fault: Fault,
    brownout_service: RunningService,
    brownout_refusals: Refusals,
    brownout_probe: Probe,
) -> None:
    """Whatever went wrong."""
    answers = await brownout_refusals.under(fault, brownout_probe)
    expect_error_media_type(answers, brownout_service.declaration.errors)


@pytest.mark.behaviour("E1")
@REFUSING_WRITES
async def test_every_error_of_a_write_has_the_declared_media_type(
    fault: Fault,
    brownout_service: RunningService,
    brownout_refusals: Refusals,
    brownout_probe: Probe,
) -> None:
    """A conflict, or a COMMIT that nobody answered."""
    answers = await brownout_refusals.of_writes(fault, brownout_probe)
    expect_error_media_type(answers, brownout_service.declaration.errors)


@pytest.mark.behaviour("E2")
@REFUSING
async def test_the_body_carries_the_status_of_the_answer(
    fault: Fault, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """A body that is logged without its headers still tells the truth."""
    expect_status_member(await brownout_refusals.under(fault, brownout_probe))


@pytest.mark.behaviour("E2")
@REFUSING_WRITES
async def test_the_body_of_a_refused_write_carries_the_status_of_the_answer(
    fault: Fault, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """409 and 504 too."""
    expect_status_member(await brownout_refusals.of_writes(fault, brownout_probe))


@pytest.mark.behaviour("E4")
@REFUSING
async def test_every_error_validates_against_the_schema(
    fault: Fault,
    brownout_service: RunningService,
    brownout_refusals: Refusals,
    brownout_probe: Probe,
) -> None:
    """503, 504 and an unhandled 500."""
    answers = await brownout_refusals.under(fault, brownout_probe)
    expect_valid_bodies(answers, brownout_service.declaration.errors)


@pytest.mark.behaviour("E4")
async def test_errors_of_the_framework_validate_against_the_same_schema(
    brownout_service: RunningService, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """An unknown path, a wrong method, a malformed body, one of another shape or an empty one."""
    answers = (await brownout_refusals.of_callers_mistakes(brownout_probe)).values()
    errors = brownout_service.declaration.errors
    expect_error_media_type(answers, errors)
    expect_status_member(answers)
    expect_valid_bodies(answers, errors)


@pytest.mark.behaviour("E4")
@REFUSING_WRITES
async def test_every_error_of_a_write_validates_against_the_same_schema(
    fault: Fault,
    brownout_service: RunningService,
    brownout_refusals: Refusals,
    brownout_probe: Probe,
) -> None:
    """A conflict, or a COMMIT that nobody answered."""
    answers = await brownout_refusals.of_writes(fault, brownout_probe)
    expect_valid_bodies(answers, brownout_service.declaration.errors)


@pytest.mark.behaviour("E6")
async def test_a_refusal_says_when_to_come_back(
    brownout_postgres: Postgres, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """503 and 429 carry a Retry-After, whatever was the cause."""
    answers: list[Answer] = []
    for fault in FAULTS.values():
        if brownout_postgres.lacks(fault) is None:
            answers += await brownout_refusals.under(fault, brownout_probe)
    expect_retry_after(answers)


@pytest.mark.behaviour("E6", level="must")
@REFUSING
async def test_a_retry_after_that_is_there_is_valid(
    fault: Fault, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """Whole seconds or an HTTP date."""
    expect_valid_retry_after(await brownout_refusals.under(fault, brownout_probe))


@pytest.mark.behaviour("E8")
@pytest.mark.parametrize("size", [8, 40, 200])
async def test_no_answer_breaks_off(
    size: int, brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """The database's answer breaks off in the middle of its rows; the service's does not."""
    declared = brownout_service.declaration
    for operation in declared.reads():
        whole = await brownout_probe.ask(operation)
        async with brownout_postgres.inject(CutAfter(size)) as injection:
            answers = await brownout_probe.meet(injection, [operation], declared.connections)
        expect_whole_answers(answers, like=whole)


@pytest.mark.behaviour("E8")
@pytest.mark.parametrize("share", [8, 5], ids=["an_eighth", "a_fifth"])
async def test_no_answer_ends_with_the_time(
    share: int, brownout_service: RunningService, brownout_postgres: Postgres, brownout_probe: Probe
) -> None:
    """Where the time is over before all rows are there, no part of them passes for the whole."""
    declared = brownout_service.declaration
    reads = declared.reads()
    wholes = [await brownout_probe.ask(operation) for operation in reads]
    async with brownout_postgres.inject(Latency(declared.budget.request / share)):
        answers = await brownout_probe.each(reads, declared.connections)
    for operation, whole in zip(reads, wholes, strict=True):
        expect_whole_answers(
            [answer for answer in answers if answer.operation == operation.name], like=whole
        )


@pytest.mark.behaviour("Z1")
@REFUSING
async def test_no_error_gives_the_insides_away(
    fault: Fault,
    brownout_postgres: Postgres,
    brownout_refusals: Refusals,
    brownout_probe: Probe,
) -> None:
    """No traceback, path, SQL, driver class, host or DSN, in body or headers."""
    answers = await brownout_refusals.under(fault, brownout_probe)
    expect_no_leak(answers, secrets=brownout_postgres.secrets)


@pytest.mark.behaviour("Z1")
@REFUSING_WRITES
async def test_no_error_of_a_write_gives_the_insides_away(
    fault: Fault,
    brownout_postgres: Postgres,
    brownout_refusals: Refusals,
    brownout_probe: Probe,
) -> None:
    """Neither a constraint's name nor what the driver thinks of a lost COMMIT."""
    answers = await brownout_refusals.of_writes(fault, brownout_probe)
    expect_no_leak(answers, secrets=brownout_postgres.secrets)


@pytest.mark.behaviour("Z1")
async def test_no_answer_to_a_mistake_gives_the_insides_away(
    brownout_postgres: Postgres, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """The framework's own errors are errors of the service too."""
    answers = (await brownout_refusals.of_callers_mistakes(brownout_probe)).values()
    expect_no_leak(answers, secrets=brownout_postgres.secrets)
