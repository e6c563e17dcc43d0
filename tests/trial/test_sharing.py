"""How the scripts on shared connections ask: each connection is met, however late."""

from collections.abc import Iterator

import pytest

from brownout import Budget
from brownout.faults import ChangedSchema, Restart, TerminatedBackends
from brownout.trial.sharing import CachedPlans, OneByOne
from brownout.units import ms, seconds
from tests.core.fakes import FakePostgres
from tests.core.made import READ, service
from tests.core.peer import OK, Reply, Request, serving, whole
from tests.trial.staged import staged

pytestmark = pytest.mark.asyncio

THREE = service([READ], budget=Budget(request=ms(500), recovery=seconds(2), pool=3))


def outcomes(text: str) -> Iterator[str]:
    """These, and then successes: "+" succeeds, "-" fails."""
    yield from text
    while True:
        yield "+"


async def met(text: str, times: int = 1) -> tuple[str, str]:
    """What was met, and what came later, where requests come out as in the text, over and over."""
    coming = outcomes(text * times)

    async def answer(request: Request) -> Reply:
        return OK if request.path != "/things" or next(coming) == "+" else whole(503)

    async with serving(answer) as peer, staged(peer, THREE, postgres := FakePostgres()) as stage:
        await OneByOne().run(stage)
    assert postgres.made == [TerminatedBackends()]
    first, then = (
        "".join("+" if one.succeeded else "-" for one in stage.notes[f"{name} {READ.name}"])
        for name in ("met", "later")
    )
    assert len(then) == 6, "two bursts of three"
    return first, then


async def test_where_nothing_fails_two_bursts_are_enough() -> None:
    assert await met("") == ("+++", "++++++")


async def test_a_connection_that_is_met_in_the_second_burst_is_not_called_late() -> None:
    first, then = await met("-+++-++++-")
    assert first.count("-") == 3
    assert then == "++++++"


async def test_where_more_fail_than_there_are_connections_it_ends_at_once() -> None:
    first, then = await met("-", times=100)
    assert (len(first), len(then)) == (3, 6)
    assert (first + then).count("-") == 9


async def test_a_connection_that_fails_for_ever_is_met_too_often() -> None:
    first, then = await met("++-+", times=20)
    assert (first + then).count("-") == 4


async def test_plans_are_cached_before_they_change_and_are_met_after_a_restart_as_well() -> None:
    async with serving(OK) as peer, staged(peer, THREE, postgres := FakePostgres()) as stage:
        await CachedPlans().run(stage)
    assert postgres.made == [ChangedSchema(), Restart()]
    changed, _ = stage.injected
    asked = [one for one in stage.answers if one.finished < changed.begun]
    assert len(asked) == 6 * 3
    assert set(stage.notes) == {
        f"met {READ.name}", f"later {READ.name}", "restarted met", "restarted later",
    }  # fmt: skip
