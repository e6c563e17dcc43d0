"""Writes are read back where a declaration has the pair: by their token, or by what they return."""

import json
from itertools import count

import pytest

from brownout import Answer, Operation, ms
from brownout.declaration.needs import read_back
from brownout.errors import ContractViolation
from brownout.expectations import expect_none_goes_back
from brownout.trial import Ask, Schedule, Settle
from brownout.trial.chaos.seen import ScheduleTry
from brownout.trial.writes import WriteHistories
from tests.core.fakes import FakePostgres
from tests.core.made import service
from tests.core.peer import Reply, Request, serving, whole
from tests.trial.staged import staged

pytestmark = pytest.mark.asyncio

PLACE = Operation.write(
    "place",
    "POST",
    "/{token}",
    applied="select count(*) from things where token = $1",
    captures={"id": "$.id"},
)
FIND = Operation.read("find", "GET", "/found/{token}", reads_back="place")
GET = Operation.read("get", "GET", "/things/{id}", reads_back="place")


class Things:
    """A service that keeps what it is sent; with `forgets`, it shows nothing of it."""

    def __init__(self, *, forgets: bool = False) -> None:
        self.forgets = forgets
        self.ids: dict[str, int] = {}
        self.applied: dict[str, int] = {}
        self.asked: list[str] = []
        self._numbers = count(1)

    async def __call__(self, request: Request) -> Reply:
        """Place, find or get."""
        _, *names = request.path.split("/")
        self.asked.append(request.path)
        if request.method == "POST":
            self.applied[names[0]] = 1
            number = self.ids.setdefault(names[0], next(self._numbers))
            return whole(201, json.dumps({"id": number}).encode())
        there = names[-1] in {*self.ids, *map(str, self.ids.values())} and not self.forgets
        if names[0] == "found":
            return whole(200, json.dumps([names[-1]] if there else []).encode())
        missing = names[0] == "things" and names[1].isdigit() and not there
        return whole(404 if missing else 200, b"{}")


async def tried(things: Things, *steps: object, operations: tuple[Operation, ...]) -> ScheduleTry:
    """One try of a schedule."""
    declared = service([PLACE, *operations], request=ms(200))
    postgres = FakePostgres(applied=things.applied)
    async with serving(things) as peer, staged(peer, declared, postgres, patience=ms(80)) as stage:
        await Schedule(steps).run(stage)  # type: ignore[arg-type]
        assert stage.chaos is not None
        return stage.chaos.found[""].tries[0]


def _of(answers: tuple[Answer, ...], operation: Operation) -> list[str]:
    return [one.token for one in answers if one.operation == operation.name]


async def test_each_caller_reads_another_write_the_last_one_first() -> None:
    seen = await tried(
        Things(), Ask("place", 2), Settle(), Ask("place"), Ask("find", 4), operations=(FIND,)
    )
    written, read = _of(seen.answers, PLACE), _of(seen.answers, FIND)
    assert read == [*reversed(written), written[-1]]
    *known, unsent = _of(seen.read_back, FIND)
    assert known == written, "each once more in the end"
    assert unsent not in written


async def test_what_a_write_returned_tells_it_to_its_read() -> None:
    things = Things()
    seen = await tried(
        things, Ask("place", 2), Settle(), Ask("get", 2), Settle(), operations=(GET,)
    )
    written = _of(seen.answers, PLACE)
    assert _of(seen.answers, GET) == [*reversed(written)]
    paths = [one for one in things.asked if one.startswith("/things")]
    assert paths[:2] == [f"/things/{things.ids[token]}" for token in reversed(written)]


async def test_without_a_write_a_read_is_asked_as_it_is() -> None:
    seen = await tried(Things(), Ask("find"), operations=(FIND,))
    assert len(seen.answers) == 1
    assert seen.read_back == ()


@pytest.mark.parametrize("read", [FIND, GET], ids=["by_token", "by_id"])
@pytest.mark.parametrize("forgets", [False, True])
async def test_a_history_reads_its_writes_back_and_tells_a_read_that_misses_one(
    read: Operation, *, forgets: bool
) -> None:
    things = Things(forgets=forgets)
    declared = service([PLACE, read], request=ms(200))
    postgres = FakePostgres(applied=things.applied)
    async with serving(things) as peer, staged(peer, declared, postgres, patience=ms(80)) as stage:
        await WriteHistories(writes=20).run(stage)
        answers = [*stage.notes["history place"], *stage.notes["read back place"]]
    pairs = read_back(declared)
    if not forgets:
        expect_none_goes_back(pairs, answers, things.applied)
        return
    with pytest.raises(ContractViolation, match="No read goes back"):
        expect_none_goes_back(pairs, answers, things.applied)
