"""The record: every message, within bounds, and nothing that is a parameter."""

import pytest

from brownout.engine.direction import StreamDirection
from brownout.engine.wire.events import EVENTS_PAGE, EVENTS_PAGE_TEXT, TEXT_KEPT, EventLog
from brownout.engine.wire.sql import SQL_KEPT, Sql
from tests.engine.wire.messages import SYNC, complete, message, parse, query, ready, startup
from tests.engine.wire.watched import Watched

UP, DOWN = StreamDirection.UPSTREAM, StreamDirection.DOWNSTREAM
SECRET = b"s3cret"


def _note(record: EventLog, sql: Sql | None) -> None:
    record.note(1, UP, ord("Q"), sql, None, "I", 10, None)


@pytest.fixture
def watched() -> Watched:
    one = Watched()
    one.asks(startup(user="u"))
    one.answers(message("R", b"\0\0\0\0") + ready())
    return one


def test_every_message_is_an_event_with_its_bytes_in_order(watched: Watched) -> None:
    asked = query("select 1")
    answered = [message("T", b"\0\0"), message("D", b"\0\0"), complete("SELECT 1"), ready("T")]
    watched.asks(asked)
    watched.answers(b"".join(answered))
    events = watched.events()
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert [(one.connection, one.direction, one.type, one.size) for one in events[-5:]] == [
        (1, UP, "Query", len(asked)),
        (1, DOWN, "RowDescription", len(answered[0])),
        (1, DOWN, "DataRow", len(answered[1])),
        (1, DOWN, "CommandComplete", len(answered[2])),
        (1, DOWN, "ReadyForQuery", len(answered[3])),
    ]


def test_no_value_that_travels_beside_the_statement_is_kept(watched: Watched) -> None:
    watched.asks(message("p", SECRET + b"\0"))
    watched.asks(parse("insert into t values ($1)"))
    watched.asks(message("B", b"\0\0\0\0\0\1\0\0\0\6" + SECRET + b"\0\0"))
    watched.asks(message("E", b"\0\0\0\0\0") + SYNC)
    watched.asks(message("F", b"\0\0\0\1\0\0\0\1\0\0\0\6" + SECRET + b"\0\0"))
    watched.asks(message("d", SECRET) + message("f", SECRET + b"\0"))
    watched.answers(message("D", b"\0\1\0\0\0\6" + SECRET))
    watched.answers(message("E", b"C23505\0MKey (a)=(" + SECRET + b") exists\0\0"))
    watched.answers(message("N", b"C01000\0M" + SECRET + b"\0\0"))
    watched.answers(message("A", b"\0\0\0\1channel\0" + SECRET + b"\0"))
    record = watched.rules.record
    assert record is not None
    assert len(watched.events()) == 15
    assert SECRET.decode() not in repr(watched.events())
    assert SECRET.decode() not in repr(record._entries)


def test_the_oldest_events_make_room_and_a_window_begins_with_what_is_kept() -> None:
    record = EventLog(keep=10)
    for _ in range(25):
        _note(record, None)
    assert record.last == 25
    assert [event.number for event in record.since(0, 1000)] == list(range(16, 26))
    assert [event.number for event in record.since(17, 3)] == [18, 19, 20]
    assert [event.number for event in record.since(24, 5)] == [25]
    assert record.since(25, 5) == []
    assert record.since(99, 5) == []


def _pages(record: EventLog) -> list[list[int]]:
    """The numbers of all events that are kept, page by page."""
    pages: list[list[int]] = []
    while page := record.since(pages[-1][-1] if pages else 0, EVENTS_PAGE):
        pages.append([event.number for event in page])
    return pages


def test_long_statements_leave_fewer_events() -> None:
    record = EventLog(keep=1_000_000)
    fit = TEXT_KEPT // SQL_KEPT
    for number in range(3 * fit):
        _note(record, Sql(f"{number:08}".ljust(SQL_KEPT)))
    kept = [number for page in _pages(record) for number in page]
    assert kept == list(range(2 * fit + 1, 3 * fit + 1))
    assert max(map(len, _pages(record))) <= 1 + EVENTS_PAGE_TEXT // SQL_KEPT


def test_a_statement_counts_once_however_often_it_goes_by() -> None:
    record = EventLog(keep=10_000)
    again = Sql("x" * SQL_KEPT)
    for _ in range(10_000):
        _note(record, again)
    assert sum(map(len, _pages(record))) == 10_000


def test_a_hashed_record_holds_no_text() -> None:
    record = EventLog(hashed=True)
    _note(record, Sql("select 1"))
    (event,) = record.since(0, 10)
    assert event.sql is None
    assert event.digest == Sql("select 1").digest
    assert not any(isinstance(field, Sql) for entry in record._entries for field in entry)
