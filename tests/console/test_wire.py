"""Of what passes on the wire the page has the last, and rows that are alike once."""

from collections.abc import Iterable

import pytest

from brownout.console.wire import Wire
from brownout.engine.direction import StreamDirection
from brownout.engine.wire.events import Event
from brownout.errors import BrownoutError, ProxyError

pytestmark = pytest.mark.asyncio


def event(number: int, kind: str, *, connection: int = 1, rule: str | None = None) -> Event:
    way = StreamDirection.UPSTREAM if kind == "Query" else StreamDirection.DOWNSTREAM
    return Event(number, number / 10, connection, way, kind, "select 1", None, None, "I", 9, rule)


class Record:
    """Gives what it was told to give, or raises it."""

    def __init__(self, *given: Iterable[Event] | Exception) -> None:
        self._given = list(given)
        self.skipped = 0

    def take(self) -> Iterable[Event]:
        one = self._given.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    def skip(self) -> None:
        self.skipped += 1


async def test_rows_that_are_alike_are_one() -> None:
    first = [event(1, "Query"), event(2, "DataRow"), event(3, "DataRow")]
    second = [event(4, "DataRow"), event(5, "DataRow", connection=2), event(6, "CommandComplete")]
    wire = Wire(Record(first, second))
    await wire.look()
    await wire.look()
    assert [(one.event.number, one.count) for one in wire.messages] == [
        (1, 1), (4, 3), (5, 1), (6, 1),
    ]  # fmt: skip
    assert [one.event.type for one in wire.steps] == ["Query", "CommandComplete"]
    assert wire.last == 6


async def test_what_a_rule_acted_on_is_a_step_whatever_it_is() -> None:
    wire = Wire(Record([event(1, "Sync"), event(2, "Sync", rule="stall_1")]))
    await wire.look()
    assert [one.event.number for one in wire.steps] == [2]


async def test_only_the_last_are_kept() -> None:
    wire = Wire(Record([event(number, "Query") for number in range(1, 2000)]))
    await wire.look()
    assert wire.messages[-1].event.number == wire.steps[-1].event.number == wire.last == 1999
    assert len(wire.messages) < 500


async def test_more_than_the_engine_keeps_is_said_and_it_goes_on() -> None:
    record = Record(BrownoutError("passed unseen"), [event(9, "Query")])
    wire = Wire(record)
    await wire.look()
    assert (wire.missed, record.skipped) == (True, 1)
    await wire.look()
    assert wire.last == 9


async def test_an_engine_that_is_gone_is_not_hidden() -> None:
    with pytest.raises(ProxyError):
        await Wire(Record(ProxyError("gone"))).look()
