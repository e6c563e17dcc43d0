"""`brownout wire` prints what goes by, one message a line."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from brownout.cli.wire import line_of, lines_of
from brownout.control import Event, StreamDirection
from tests.engine.peers import PATIENCE, Upstream, read
from tests.engine.wire.messages import query, startup

UP, DOWN = StreamDirection.UPSTREAM, StreamDirection.DOWNSTREAM


def test_a_line_says_when_who_which_way_and_what() -> None:
    asked = Event(1, 10.5, 3, UP, "Query", "select\n  1", "abc", None, "I", 14, None)
    failed = Event(2, 11.0, 3, DOWN, "ErrorResponse", "select 1", "abc", "40001", "I", 90, "r")
    ready = Event(3, 11.0, 3, DOWN, "ReadyForQuery", None, None, None, "E", 6, None)
    assert line_of(asked, 10.0).split() == "0.5000 3 → Query 14 select 1".split()  # noqa: SIM905
    assert line_of(failed, 10.0).split() == [
        "1.0000", "3", "←", "ErrorResponse", "90", "[r]", "40001",
    ]  # fmt: skip
    assert line_of(ready, 10.0).endswith("in a failed transaction")


def test_rows_that_follow_each_other_are_counted_when_something_else_comes() -> None:
    kinds = ["DataRow"] * 1001 + ["CommandComplete"] + ["DataRow"] * 2
    events = iter(
        Event(number, 0.0, 1, DOWN, kind, "select 1", "abc", None, "I", 10, None)
        for number, kind in enumerate(kinds, 1)
    )
    lines = [line.split()[3:] for line in lines_of(events)]
    assert lines == [
        ["DataRow", "10"],
        ["DataRow", "10000", "1,000", "more"],
        ["CommandComplete", "10"],
        ["DataRow", "10"],
        ["DataRow", "10", "1", "more"],
    ]


def test_a_terminal_gets_no_control_characters() -> None:
    asked = Event(1, 0.0, 1, UP, "Query", "select '\x1b[2J\x07é'", "abc", None, "I", 14, "r\n")
    assert line_of(asked, 0.0).endswith("[r\\n]  select '\\x1b[2J\\x07é'")


def test_the_first_of_many_rows_is_printed_before_the_next_has_come() -> None:
    def one() -> Iterator[Event]:
        yield Event(1, 0.0, 1, DOWN, "DataRow", None, None, None, "T", 10, None)
        pytest.fail("the line is held back")

    assert "DataRow" in next(lines_of(one()))


# As a script's background job, which ignores SIGINT.
IN_THE_BACKGROUND = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
"""
# The signal comes to another thread, so it interrupts no system call of the main thread: what else
# only happens where it comes just before the call.
UNINTERRUPTED = """
import signal, sys, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
"""
RUN = "from brownout.cli import main; sys.exit(main())"


@contextmanager
def watching(upstream: Upstream, begin: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """`brownout wire` and its output, in a process that does `begin` first; killed at the end."""
    command = [sys.executable, "-c", begin + RUN, "wire", upstream.address]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


def connected(output: IO[str]) -> socket.socket:
    """A client of the proxy that the first line names; reads the heading too."""
    host, _, port = output.readline().split()[0].rpartition(":")
    assert "statement, tag or state" in output.readline()
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


@pytest.mark.parametrize("begin", [IN_THE_BACKGROUND, UNINTERRUPTED])
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_live_and_ends_when_it_is_told_to(
    upstream: Upstream, end: signal.Signals, begin: str
) -> None:
    with watching(upstream, begin) as (process, output):
        with connected(output) as caller:
            server = upstream.accept()
            caller.sendall(startup(user="u") + query("select 1"))
            read(server, len(startup(user="u") + query("select 1")))
            first, second = output.readline(), output.readline()
        assert "→ StartupMessage" in first
        assert second.rstrip().endswith("select 1")
        process.send_signal(end)
        assert process.wait(PATIENCE) == 0


def test_it_ends_quietly_when_nobody_reads_its_output_any_more(upstream: Upstream) -> None:
    with watching(upstream, "import sys\n") as (process, output), connected(output) as caller:
        output.close()
        caller.sendall(startup(user="u"))
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
