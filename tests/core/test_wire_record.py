"""What passes between service and database is read page by page, and nothing is lost unseen."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from brownout import BrownoutError
from brownout.control.wire import WireClient
from brownout.engine.direction import StreamDirection
from brownout.engine.wire.events import Event
from brownout.postgres.wire_record import WireRecord


class Engine:
    """Keeps the numbers of the latest events; an answer has three at most."""

    def __init__(self) -> None:
        self.kept: list[int] = []
        self.recording = False
        self.asked = 0

    def post(self, _path: str, body: Mapping[str, object] | None = None) -> Any:
        self.recording = bool(body and body["keep"])

    def delete(self, _path: str) -> Any:
        self.recording = False

    def get(self, path: str) -> Any:
        self.asked += 1
        last = self.kept[-1] if self.kept else 0
        query = parse_qs(urlsplit(path).query)
        if not query:
            return {"last": last}
        later = [number for number in self.kept if number > int(query["after"][0])]
        page = later[: min(int(query["limit"][0]), 3)]
        return {"last": last, "events": [_event(number) for number in page]}

    def lines(self, path: str) -> Iterator[Any]:
        raise AssertionError(path)


def _event(number: int) -> dict[str, object]:
    event = Event(number, 0.0, 1, StreamDirection.UPSTREAM, "Query", None, None, None, "", 5, None)
    return {**asdict(event), "direction": "upstream"}


def test_what_was_skipped_is_not_taken() -> None:
    engine = Engine()
    with WireRecord(WireClient(engine), "orders") as record:
        engine.kept = [1, 2, 3]
        record.skip()
        assert record.take() == ()
        engine.kept.append(4)
        assert [event.number for event in record.take()] == [4]


def test_each_message_is_taken_once_however_many_pages_they_fill() -> None:
    engine = Engine()
    with WireRecord(WireClient(engine), "orders") as record:
        assert engine.recording
        assert record.take() == ()
        engine.kept = list(range(1, 9))
        asked = engine.asked
        assert [event.number for event in record.take()] == list(range(1, 9))
        assert engine.asked == asked + 3  # no further one to learn that there are no more
        engine.kept.append(9)
        assert [event.number for event in record.take()] == [9]
    assert not engine.recording


def test_messages_that_were_not_kept_are_missed() -> None:
    engine = Engine()
    with WireRecord(WireClient(engine), "orders") as record:
        engine.kept = [5, 6]
        with pytest.raises(BrownoutError, match="4 messages passed unseen"):
            record.take()
