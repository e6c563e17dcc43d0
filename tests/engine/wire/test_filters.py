"""What `brownout wire` prints if it is asked for a part."""

import argparse
from collections.abc import Iterator

import pytest

from brownout.cli.filters import Filter, add_options, filter_of
from brownout.cli.wire import main
from brownout.engine.direction import StreamDirection
from brownout.engine.wire.events import Event

UP, DOWN = StreamDirection.UPSTREAM, StreamDirection.DOWNSTREAM


def _event(
    time: float, connection: int, kind: str, sql: str | None, way: StreamDirection = UP
) -> Event:
    return Event(1, time, connection, way, kind, sql, None, None, "I", 10, None)


SEEN = [
    _event(0.0, 1, "Query", "select 1"),
    _event(0.1, 2, "Query", "INSERT INTO  orders"),
    _event(0.1, 1, "ReadyForQuery", "select 1", DOWN),
    _event(0.2, 2, "ErrorResponse", "INSERT INTO  orders", DOWN),
    _event(0.6, 2, "ReadyForQuery", None, DOWN),
    _event(0.7, 1, "NoticeResponse", None, DOWN),
    _event(0.8, 1, "Query", "commit"),
]


def _chosen(*words: str) -> list[tuple[int, str]]:
    parser = argparse.ArgumentParser()
    add_options(parser)
    chosen = filter_of(parser.parse_args(words)).of(SEEN)
    return [(event.connection, event.type) for event in chosen]


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ([], [(one.connection, one.type) for one in SEEN]),
        (["--sql", "insert into orders"], [(2, "Query"), (2, "ErrorResponse")]),
        (["--type", "ErrorResponse", "--type", "NoticeResponse"],
         [(2, "ErrorResponse"), (1, "NoticeResponse")]),
        (["--slow", "300ms"], [(2, "Query"), (2, "ErrorResponse"), (2, "ReadyForQuery")]),
        (["--slow", "0.1 s", "--type", "Query"], [(1, "Query"), (2, "Query")]),
        (["--slow", "1s"], []),
    ],
)  # fmt: skip
def test_only_what_is_asked_for_passes(words: list[str], chosen: list[tuple[int, str]]) -> None:
    assert _chosen(*words) == chosen


def test_without_a_filter_nothing_is_held_back() -> None:
    def one() -> Iterator[Event]:
        yield SEEN[0]
        pytest.fail("the event is held back")

    assert next(Filter().of(one())) is SEEN[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sql", "insert *into"], "a blank already means"),
        (["--type", "Quary"], "Did you mean 'Query'"),
        (["--slow", "50"], "such as 50ms or 1s"),
        (["--hashed", "--sql", "a"], "--hashed leaves them out"),
    ],
)
def test_what_cannot_be_asked_for_is_said(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["127.0.0.1:5432", *words])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err.replace("\n", " ")
