"""Of the mistakes of callers, those count that the database has found, by what it said."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest

from brownout import ContractViolation, Errors, Operation
from brownout.engine.direction import StreamDirection
from brownout.engine.wire.events import Event
from brownout.expectations import expect_distinct_origins
from brownout.faults import Fault
from brownout.trial.declared import LongTexts, Origins
from brownout.trial.scripts import FoundMistakes
from brownout.trial.shown import values_shown
from tests.core.fakes import FakePostgres, FakeRecord
from tests.core.made import READ, answer, service
from tests.core.peer import OK, Reply, Request, serving, whole
from tests.trial.staged import staged

FILL = Operation.write("fill", "PUT", "/things/{token}", json={"a": 1})


class Told(FakeRecord):
    """What the database said is what the test has put into `events`."""

    def __init__(self, postgres: "Recorded") -> None:
        super().__init__(postgres)
        self._told = postgres

    def take(self) -> tuple[Event, ...]:
        taken, self._told.events = tuple(self._told.events), []
        return taken


class Recorded(FakePostgres):
    """A database that says what the test puts into `events`."""

    def __init__(self, *, elsewhere: bool = False) -> None:
        super().__init__()
        self.backend = SimpleNamespace(existing_proxy=lambda: "a proxy" if elsewhere else None)
        self.events: list[Event] = []

    def record_wire(self) -> Told:
        return Told(self)

    def refuse(self, sqlstate: str) -> None:
        down = StreamDirection.DOWNSTREAM
        self.events.append(
            Event(1, 1.0, 1, down, "ErrorResponse", "insert", None, sqlstate, "I", 9, None)
        )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("sqlstate", "found"),
    [("22P02", ["fill: empty"]), ("23502", ["fill: empty"]), ("42501", []), ("57014", [])],
)
async def test_only_unusable_data_and_constraints_are_the_callers(
    sqlstate: str, found: list[str]
) -> None:
    async def answered(request: Request) -> Reply:
        if request.body == b"{}":
            postgres.refuse(sqlstate)
        return whole(500)

    postgres = Recorded()
    async with (
        serving(answered) as peer,
        staged(peer, service([READ, FILL]), postgres) as stage,
    ):
        await FoundMistakes().run(stage)
    assert [one.operation for one in stage.notes.get("found", ())] == found


@pytest.mark.asyncio
@pytest.mark.parametrize(("elsewhere", "kept"), [("request", True), ("database", False)])
async def test_a_mistake_that_the_database_finds_may_name_it_as_its_origin(
    elsewhere: str, kept: bool
) -> None:
    """As a service does that names its layers; a mistake that it finds by itself has another."""

    async def answered(request: Request) -> Reply:
        origin = elsewhere
        if request.body == b"{}":
            postgres.refuse("23502")
            origin = "database"
        if broken:
            origin = "database"
        return whole(503 if broken else 422, json.dumps({"origin": origin}).encode())

    errors, broken = Errors(origin="origin"), list[Fault]()
    postgres = Recorded()
    postgres.switch = lambda fault, on: broken.append(fault) if on else broken.clear()
    async with (
        serving(answered) as peer,
        staged(peer, service([READ, FILL], errors=errors), postgres) as stage,
    ):
        await Origins().run(stage)
    mistakes, failures = stage.notes["mistakes"], stage.notes["without database"]
    assert "fill: empty" not in {one.operation for one in mistakes}
    assert {one.operation for one in mistakes} >= {"unknown path", "fill: not JSON"}
    with nullcontext() if kept else pytest.raises(ContractViolation):
        expect_distinct_origins(mistakes, failures, errors)


NAME = Operation.write("name", "PUT", "/things/{token}", json={"name": "{token}"})
PAGE = Operation.read("page", "GET", "/things?limit=10")
SEVENTH = Operation.read("seventh", "GET", "/things/7")


async def found(
    operation: Operation, wrong: Callable[[Request], bool], said: str = "", *, others: int = 200
) -> list[str]:
    """The mistakes that count, where each request with a `wrong` value is answered with 500, of
    which the database has `said` this, and each other one with the status `others`."""

    async def answered(request: Request) -> Reply:
        if not wrong(request):
            return whole(others)
        if said:
            postgres.refuse(said)
        return whole(500)

    postgres = Recorded()
    async with (
        serving(answered) as peer,
        staged(peer, service([READ, operation]), postgres) as stage,
    ):
        await FoundMistakes().run(stage)
    return [one.operation for one in stage.notes.get("found", ())]


def with_a_nul(request: Request) -> bool:
    return b"\\u0000" in request.body


@pytest.mark.asyncio
@pytest.mark.parametrize("said", ["22021", ""], ids=["the database said so", "the driver refused"])
async def test_a_value_that_is_answered_with_500_counts_whoever_refused_it(said: str) -> None:
    assert await found(NAME, with_a_nul, said) == ["name: $.name with a NUL"]


@pytest.mark.asyncio
async def test_a_number_that_the_driver_refuses_counts_in_the_query_and_in_the_path() -> None:
    def large(request: Request) -> bool:
        return "9" * 20 in request.path

    assert await found(PAGE, large) == ["page: limit out of range"]
    assert await found(SEVENTH, large) == ["seventh: number out of range"]


@pytest.mark.asyncio
async def test_a_500_for_another_reason_than_the_value_does_not_count() -> None:
    """The same request fails without it, the database failed, or it was so only once."""
    assert not await found(NAME, lambda _: True)
    assert not await found(NAME, with_a_nul, "57014")
    assert not await found(NAME, with_a_nul, others=503)
    once = iter([True])
    assert not await found(NAME, lambda request: with_a_nul(request) and next(once, False))


@pytest.mark.asyncio
async def test_what_needs_no_database_is_no_value_that_its_driver_refuses() -> None:
    free = replace(PAGE, needs_database=False)
    assert not await found(free, lambda request: "9" * 20 in request.path)


ORDER = Operation.write(
    "order", "POST", "/orders", json={"customer": "{token}", "lines": [{"sku": "tea"}], "count": 1}
)


def looks_at(sqlstate: str | None, status: int) -> Callable[[Recorded, Request], Reply]:
    """What a service answers to a long customer: with what the database said, where it was asked.
    Any sku is accepted."""

    def answered(postgres: Recorded, request: Request) -> Reply:
        if len(json.loads(request.body)["customer"]) < 1000:
            return whole(201)
        if sqlstate is not None:
            postgres.refuse(sqlstate)
        return whole(status)

    return answered


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answering", "found", "asked"),
    [
        (looks_at("22001", 500), [500], 1),
        (looks_at("22001", 422), [422], 1),
        (looks_at("23514", 500), [], 2),  # a check of its length
        (looks_at(None, 422), [], 2),  # by the service itself
        (looks_at(None, 201), [], 2),  # a column of any length
        (looks_at("22001", 202), [], 2),  # it was stored in another way
    ],
)
async def test_a_long_text_counts_that_the_database_found_unusable(
    answering: Callable[[Recorded, Request], Reply], found: list[int], asked: int
) -> None:
    async def answered(request: Request) -> Reply:
        return answering(postgres, request)

    postgres = Recorded()
    async with (
        serving(answered) as peer,
        staged(peer, service([READ, ORDER, FILL]), postgres) as stage,
    ):
        await LongTexts().run(stage)
    assert [one.status for one in stage.notes.get("too long order", ())] == found
    assert len(peer.requests) == asked
    assert stage.answers == []


@pytest.mark.asyncio
async def test_rows_of_long_texts_are_not_taken_for_those_of_writes() -> None:
    async with serving(OK) as peer, staged(peer, service([READ, ORDER]), Recorded()) as stage:
        await LongTexts().run(stage)
    sent = {json.loads(request.body)["customer"].rstrip("x") for request in peer.requests}
    assert len(sent) == len(peer.requests) == 2
    assert not values_shown([answer(json=sorted(sent))], sent)


@pytest.mark.asyncio
async def test_no_long_text_is_sent_where_other_callers_use_the_service() -> None:
    async with (
        serving(OK) as peer,
        staged(peer, service([READ, ORDER]), Recorded(elsewhere=True)) as stage,
    ):
        await LongTexts().run(stage)
    assert peer.requests == []
