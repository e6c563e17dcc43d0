"""How the scripts on shared connections ask: each connection is met, however late."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from brownout import Budget, ContractViolation
from brownout.expectations import expect_cheap_replanning
from brownout.faults import ChangedSchema, Fault, Restart, TerminatedBackends
from brownout.trial import Stage
from brownout.trial.sharing import CachedPlans, OneByOne, OneTableLocked
from brownout.units import ms, seconds
from tests.core.fakes import FakePostgres
from tests.core.made import READ, WRITE, recording, service
from tests.core.peer import OK, Reply, Request, serving, whole
from tests.trial.staged import staged

pytestmark = pytest.mark.asyncio


class Tables(FakePostgres):
    """Has two tables; `free` is set while none is locked."""

    def __init__(self) -> None:
        super().__init__(switch=self._lock)
        self.free = asyncio.Event()
        self.free.set()

    def _lock(self, _: Fault, locked: bool) -> None:
        (self.free.clear if locked else self.free.set)()

    def query(self, *_: Any) -> list[tuple[str]]:
        """Their names."""
        return [("public.orders",), ("public.stock",)]


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
    assert len(asked) == 6 * 3 + 3
    assert set(stage.notes) == {
        f"met {READ.name}", f"later {READ.name}", "restarted met", "restarted later",
    }  # fmt: skip


async def replanned(*statements: str, dropped: bool = True) -> str:
    """What becomes of requests that send these, where each connection keeps a plan for each of them
    and drops one when it has failed, or never does. The last connection that came back is the next
    that is used."""
    stale = [0] * THREE.connections

    def switch(fault: Fault, on: bool) -> None:
        if isinstance(fault, ChangedSchema) and on:
            stale[:] = [len(statements)] * THREE.connections

    postgres = FakePostgres(switch=switch, missing=["Restart"])

    async def reply(request: Request) -> Reply:
        if request.path != "/things":
            return OK
        postgres.sent += statements
        left = stale.pop()
        await asyncio.sleep(0.001)
        stale.append(left - 1 if left and dropped else left)
        return whole(503) if left else OK

    async with serving(reply) as peer, staged(peer, THREE, postgres) as stage:
        await CachedPlans().run(stage)
    made = recording(declared=THREE, notes=stage.notes, exchanges=stage.exchanges)
    try:
        expect_cheap_replanning(made)
    except ContractViolation as error:
        return error.violation.observed
    return "kept"


FIND, COUNT = "select * from things where id = 1", "select count(*) from things"


async def test_each_statement_of_a_request_may_meet_its_own_stale_plan() -> None:
    assert await replanned(FIND, COUNT) == "kept"


async def test_a_statement_that_is_sent_twice_has_one_plan() -> None:
    assert await replanned(FIND) == "kept"
    assert await replanned(FIND, FIND) != "kept"


async def test_a_plan_that_is_never_dropped_is_met_for_ever() -> None:
    assert await replanned(FIND, COUNT, dropped=False) != "kept"


async def locked(*, shared: bool) -> tuple[Stage, Tables]:
    """Where writes wait for a locked table; reads fail meanwhile if they share its pool."""
    postgres, waiting = Tables(), 0

    async def answer(request: Request) -> Reply:
        nonlocal waiting
        if request.method == "GET":
            return whole(503) if shared and waiting > THREE.connections else OK
        waiting += 1
        try:
            await postgres.free.wait()
        finally:
            waiting -= 1
        return whole(201)

    declared = service([READ, WRITE], budget=THREE.budget)
    async with (
        serving(answer) as peer,
        staged(peer, declared, postgres, patience=seconds(1)) as stage,
    ):
        await OneTableLocked().run(stage)
    return stage, postgres


async def test_beside_each_locked_table_others_are_asked_five_times() -> None:
    stage, postgres = await locked(shared=False)
    assert [one.succeeded for one in stage.notes["beside"]] == [True] * 5 * 2
    assert len(postgres.made) == 2


async def test_harm_by_a_locked_table_is_enough_to_see_once() -> None:
    stage, postgres = await locked(shared=True)
    assert [one.status for one in stage.notes["beside"]] == [503]
    assert len(postgres.made) == 1


async def test_who_waits_for_a_locked_table_is_released_by_its_heal() -> None:
    """Otherwise the trial would wait for the patience of each of them."""
    stage, _ = await locked(shared=True)
    writes = [one for one in stage.answers if one.operation == WRITE.name]
    assert [one.succeeded for one in writes] == [False] + [True] * THREE.connections * 2
