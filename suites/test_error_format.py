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
    LockedTables,
    NoFreeSlots,
    Outage,
    Reset,
    RevokedPermission,
)
from brownout.postgres import Postgres
from brownout.probes import Probe
from brownout.refusals import Refusals
from brownout.runner import RunningService

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("brownout_steady")]

# Between them they make a service refuse in every way it has: at once, at its deadline, for a lost
# connection, for want of a slot, for a lock, and with an error that nobody foresaw.
REFUSING = pytest.mark.parametrize(
    "fault",
    [Outage(), BlackHole(), Reset(), NoFreeSlots(), LockedTables(), RevokedPermission()],
    ids=["outage", "black_hole", "reset", "no_free_slots", "locked_tables", "revoked_permission"],
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
async def test_a_conflict_has_the_declared_media_type(
    brownout_service: RunningService, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """The database says that a key is there already."""
    conflicts = await brownout_refusals.of_conflicts(brownout_probe)
    expect_error_media_type(conflicts, brownout_service.declaration.errors)


@pytest.mark.behaviour("E2")
@REFUSING
async def test_the_body_carries_the_status_of_the_answer(
    fault: Fault, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """A body that is logged without its headers still tells the truth."""
    expect_status_member(await brownout_refusals.under(fault, brownout_probe))


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
    """An unknown path, a wrong method, a malformed body, one of another shape."""
    answers = (await brownout_refusals.of_callers_mistakes(brownout_probe)).values()
    errors = brownout_service.declaration.errors
    expect_error_media_type(answers, errors)
    expect_status_member(answers)
    expect_valid_bodies(answers, errors)


@pytest.mark.behaviour("E4")
async def test_a_conflict_validates_against_the_same_schema(
    brownout_service: RunningService, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """The database says that a key is there already."""
    conflicts = await brownout_refusals.of_conflicts(brownout_probe)
    expect_valid_bodies(conflicts, brownout_service.declaration.errors)


@pytest.mark.behaviour("E6")
async def test_a_refusal_says_when_to_come_back(
    brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """503 and 429 carry a Retry-After."""
    expect_retry_after(await brownout_refusals.under(Outage(), brownout_probe))


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
async def test_no_answer_to_a_mistake_gives_the_insides_away(
    brownout_postgres: Postgres, brownout_refusals: Refusals, brownout_probe: Probe
) -> None:
    """The framework's own errors are errors of the service too."""
    answers = (await brownout_refusals.of_callers_mistakes(brownout_probe)).values()
    expect_no_leak(answers, secrets=brownout_postgres.secrets)
