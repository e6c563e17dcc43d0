"""Of the mistakes of callers, those count that the database has found, by what it said."""

from typing import Self

import pytest

from brownout import Operation
from brownout.engine.direction import StreamDirection
from brownout.engine.wire.events import Event
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
