"""`brownout up` as a user starts it, in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from brownout.reaper.run import start_of
from brownout.settings.options import OPTIONS

__all__ = ["Up", "up"]

_PROGRAM = "import sys, brownout.cli; sys.exit(brownout.cli.main())"
_END = 60.0  # seconds


class Up:
    """The command, its page being served at `address`; `said` is what it has printed so far, and
    `owner` begins the token of its run."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.owner = f"{process.pid}-{start_of(process.pid)}-"
        self.said = ""
        self.address = ""
        assert process.stdout is not None
        for line in process.stdout:
            self.said += line
            if found := re.match(r" +page +(http://127\.0\.0\.1:\d+/[\w-]+/)\n", line):
                self.address = found[1]
            if "Ctrl-C" in line:
                return
        raise AssertionError(f"it ended before the page was served:\n{self.said}")

    def end(self, number: signal.Signals) -> int:
        """Send the signal, and return the exit code."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=_END)
        self.said += rest
        return self.process.returncode


@contextmanager
def up(folder: Path, *words: str) -> Iterator[Up]:
    """Start it in a folder that declares a service; it has ended after the block."""
    ours = {option.variable for option in OPTIONS}
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, "up", *words],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in ours},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Up(process)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
