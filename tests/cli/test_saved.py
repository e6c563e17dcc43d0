"""Events in a file: written as they come, read again by `brownout wire --read`."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brownout.cli import main
from brownout.cli.saved import read, saved
from brownout.control import Event, StreamDirection
from brownout.errors import SettingsError

UP, DOWN = StreamDirection.UPSTREAM, StreamDirection.DOWNSTREAM
QUERY = Event(1, 10.5, 3, UP, "Query", "select 'é\x1b\ud800'", "abc", None, "I", 14, None)
REFUSED = Event(2, 11.0, 3, DOWN, "ErrorResponse", "select 1", "abc", "40001", "I", 90, "r")
HEAD = '{"brownout": "wire", "format": 1}'

texts = st.none() | st.text(st.characters(), max_size=20)
events = st.builds(
    Event,
    *(st.integers(0), st.floats(0, 1e9), st.integers(0), st.sampled_from(StreamDirection)),
    *(st.text(), texts, texts, texts, st.sampled_from(["", "I", "T", "E"]), st.integers(0), texts),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(events, max_size=5))
def test_what_is_read_is_what_was_saved(tmp_path: Path, seen: list[Event]) -> None:
    path = tmp_path / "events"
    assert list(saved(seen, path)) == seen
    assert list(read(path)) == seen


def test_each_event_is_in_the_file_before_the_next_comes(tmp_path: Path) -> None:
    """So it is there even if the run is killed."""
    path = tmp_path / "events"

    def two() -> Iterator[Event]:
        yield QUERY
        assert list(read(path)) == [QUERY]
        yield REFUSED

    assert list(saved(two(), path)) == [QUERY, REFUSED]


def test_only_this_user_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text("older and longer than the events\n" * 100)
    path.chmod(0o644)
    list(saved([QUERY], path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(read(path)) == [QUERY]


def test_a_place_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be saved: No such file"):
        list(saved([QUERY], tmp_path / "no" / "events"))


def test_the_half_of_a_line_that_a_killed_run_leaves_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events"
    list(saved([QUERY, REFUSED], path))
    path.write_text(path.read_text()[:-20])
    assert list(read(path)) == [QUERY]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a file of wire events"),
        (b"\xff\xfe", "it is not text"),
        (b'{"brownout": "wire", "format": 2}\n', "another version"),
        (f"{HEAD}\n{{}}\n".encode(), "line 2 is not an event"),
        (f"{HEAD}\n[{'[' * 100_000}\n".encode(), "line 2 is not an event"),
    ],
)
def test_another_file_is_one_clear_error(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "events"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=why):
        list(read(path))


@pytest.mark.parametrize(
    ("name", "value"),
    [("direction", "sideways"), ("number", "1"), ("size", True), ("sql", 3), ("time", None)],
)
def test_a_field_of_another_kind_is_not_an_event_s(
    tmp_path: Path, name: str, value: object
) -> None:
    path = tmp_path / "events"
    list(saved([REFUSED], path))
    head, line, _ = path.read_text().split("\n")
    path.write_text(f"{head}\n{json.dumps({**json.loads(line), name: value})}\n")
    with pytest.raises(SettingsError, match="line 2"):
        list(read(path))


def test_a_file_is_printed_again_with_other_filters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events"
    list(saved([QUERY, REFUSED], path))
    assert main(["wire", "--read", str(path), "--type", "ErrorResponse"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2
    assert "40001" in printed[1]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["127.0.0.1:5432", "--read", "events"],
        ["--read", "events", "--save", "other"],
        ["--read", "events", "--listen", "127.0.0.1:1"],
        ["--read", "events", "--hashed"],
    ],
)
def test_options_that_do_not_go_together_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["wire", *words])
    assert "brownout wire: error: " in capsys.readouterr().err
