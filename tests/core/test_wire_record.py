"""What passes between service and database is read page by page, and nothing is lost unseen."""

from typing import cast

import pytest

from brownout import BrownoutError
from brownout.control.wire import WireClient
from brownout.engine.direction import StreamDirection
from brownout.engine.wire.events import Event
from brownout.postgres.wire_record import WireRecord


class Wire:
    """Keeps the numbers of the latest events; an answer has three at most."""

    def __init__(self) -> None:
        self.kept: list[int] = []
        self.recording = False

    def start_record(self, _proxy: str, *, keep: int) -> None:
        self.recording = keep > 0

    def stop_record(self, _proxy: str) -> None:
        self.recording = False

    def last_event(self, _proxy: str) -> int:
        return self.kept[-1]

    def events(self, _proxy: str, *, after: int, limit: int) -> tuple[Event, ...]:
        later = [number for number in self.kept if number > after][: min(limit, 3)]
        up = StreamDirection.UPSTREAM
        return tuple(
            Event(number, 0.0, 1, up, "Query", None, None, None, "", 5, None) for number in later
        )


def test_what_was_skipped_is_not_taken() -> None:
    wire = Wire()
    with WireRecord(cast("WireClient", wire), "orders") as record:
        wire.kept = [1, 2, 3]
        record.skip()
        assert record.take() == ()
        wire.kept.append(4)
        assert [event.number for event in record.take()] == [4]


def test_each_message_is_taken_once_however_many_pages_they_fill() -> None:
    wire = Wire()
    with WireRecord(cast("WireClient", wire), "orders") as record:
        assert wire.recording
        assert record.take() == ()
        wire.kept = list(range(1, 9))
        assert [event.number for event in record.take()] == list(range(1, 9))
        wire.kept.append(9)
        assert [event.number for event in record.take()] == [9]
    assert not wire.recording


def test_messages_that_were_not_kept_are_missed() -> None:
    wire = Wire()
    with WireRecord(cast("WireClient", wire), "orders") as record:
        wire.kept = [5, 6]
        with pytest.raises(BrownoutError, match="4 messages passed unseen"):
            record.take()
