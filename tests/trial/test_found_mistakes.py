"""Of the mistakes of callers, those count that the database has found, by what it said."""

import json
from contextlib import nullcontext
from typing import Self

import pytest

from brownout import ContractViolation, Errors, Operation
from brownout.engine.direction import StreamDirection
from brownout.engine.wire.events import Event
from brownout.expectations import expect_distinct_origins
from brownout.faults import Fault
from brownout.trial.declared import Origins
from brownout.trial.scripts import FoundMistakes
from tests.core.fakes import FakePostgres
from tests.core.made import READ, service
from tests.core.peer import Reply, Request, serving, whole
from tests.trial.staged import staged

FILL = Operation.write("fill", "PUT", "/things/{token}", json={"a": 1})


class Recorded(FakePostgres):
    """What the database said is what the test puts into `events`."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []

    def record_wire(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def take(self) -> tuple[Event, ...]:
        taken, self.events = tuple(self.events), []
        return taken

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


@pytest.mark.asyncio
@pytest.mark.parametrize("said", [True, False], ids=["the database said so", "the driver refused"])
async def test_what_the_driver_refuses_before_it_is_sent_is_not_judged(said: bool) -> None:
    async def answered(request: Request) -> Reply:
        if b"\\u0000" in request.body and said:
            postgres.refuse("22021")
        return whole(500)

    name = Operation.write("name", "PUT", "/things/{token}", json={"name": "{token}"})
    postgres = Recorded()
    async with (
        serving(answered) as peer,
        staged(peer, service([READ, name]), postgres) as stage,
    ):
        await FoundMistakes().run(stage)
    found = [one.operation for one in stage.notes.get("found", ())]
    assert found == (["name: $.name with a NUL"] if said else [])
