"""`brownout wire` prints what goes by, one message a line."""

import signal
import socket
import subprocess
import sys

from brownout.engine import Direction, Event
from brownout.engine.watching import line_of
from tests.engine.peers import PATIENCE, Upstream, read
from tests.engine.wire.messages import query, startup

UP, DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM


def test_a_line_says_when_who_which_way_and_what() -> None:
    asked = Event(1, 10.5, 3, UP, "Query", "select\n  1", "abc", None, "I", 14, None)
    failed = Event(2, 11.0, 3, DOWN, "ErrorResponse", "select 1", "abc", "40001", "I", 90, "r")
    ready = Event(3, 11.0, 3, DOWN, "ReadyForQuery", None, None, None, "E", 6, None)
    assert line_of(asked, 10.0).split() == "0.5000 3 → Query 14 select 1".split()  # noqa: SIM905
    assert line_of(failed, 10.0).split() == [
        "1.0000", "3", "←", "ErrorResponse", "90", "[r]", "40001",
    ]  # fmt: skip
    assert line_of(ready, 10.0).endswith("in a failed transaction")


def test_it_prints_live_and_ends_with_ctrl_c(upstream: Upstream) -> None:
    begin = "import sys; from brownout.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", begin, "wire", upstream.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().split()[0]
            host, _, port = address.rpartition(":")
            with socket.create_connection((host, int(port)), timeout=PATIENCE) as caller:
                server = upstream.accept()
                caller.sendall(startup(user="u") + query("select 1"))
                read(server, len(startup(user="u") + query("select 1")))
                first, second = process.stdout.readline(), process.stdout.readline()
            assert "→ StartupMessage" in first
            assert second.rstrip().endswith("select 1")
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
