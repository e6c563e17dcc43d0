"""Runs of `brownout gate` as a user starts them, to be disturbed."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import psutil

from brownout.reaper.run import start_of
from brownout.settings.options import OPTIONS
from tests.backends.waiting import leftovers, until

__all__ = ["Gate"]

_ROOT = Path(__file__).parents[2]
_PROGRAM = """
import signal
import sys
import brownout.cli
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell's `&` began it all
sys.exit(brownout.cli.main())
"""
_COMMAND = [sys.executable, "-u", "-c", _PROGRAM]
_NOT_INHERITED = {option.variable for option in OPTIONS} | {"PYTEST_ADDOPTS"}
_WORKER = "import sys;exec(eval(sys.stdin.readline()))"  # what execnet starts
_PATIENCE = 160.0  # seconds; tests that wait for a whole gate may take 180
_CLEAN_WITHIN = 60.0  # seconds; the reaper's time
_LOOK = 0.1  # seconds; each look is at every process of the machine


class Gate:
    """A gate that is called in `folder`, in a process group of its own. It is verbose: it tells
    when each trial begins and ends."""

    command: ClassVar[Sequence[str]] = ("gate", "-v")

    def __init__(self, folder: Path, *words: str) -> None:
        self.report = folder / "report"
        self._mark = secrets.token_hex(8)
        self._owners: set[str] = set()
        self._said: list[str] = []
        inherited = {
            name: value for name, value in os.environ.items() if name not in _NOT_INHERITED
        }
        self.process = subprocess.Popen(
            [*_COMMAND, *self.command, f"--report={self.report}", *words],
            cwd=folder,
            env={**inherited, "PYTHONPATH": str(_ROOT), "BROWNOUT_TEST_RUN": self._mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is not None:
            sys.stdout.write("".join(self._said))
        if self.process.poll() is None:
            self.process.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process.wait()

    def until(self, *words: str) -> None:
        """Read what it prints until a line has all of these words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.append(line)
            if all(word in line for word in words):
                self._note_owners()
                return
        raise AssertionError(f"it ended before it said {words}")

    def pytest(self) -> psutil.Process:
        """The run of pytest in it."""
        (child,) = psutil.Process(self.process.pid).children()
        return child

    def workers(self) -> list[psutil.Process]:
        """The workers of that run, in the order in which they were started."""
        children = self.pytest().children()
        return [one for one in children if _WORKER in one.cmdline()]

    def send_to_all(self, number: signal.Signals) -> None:
        """As a terminal does for Ctrl-C."""
        os.killpg(self.process.pid, number)

    def end(self) -> tuple[int, str]:
        """Its exit code, and all that it has printed."""
        said, _ = self.process.communicate(timeout=_PATIENCE)
        self._said.append(said)
        return self.process.returncode, "".join(self._said)

    def document(self) -> dict[str, Any]:
        """The report as it is now."""
        document: dict[str, Any] = json.loads((self.report / "brownout.json").read_text("utf-8"))
        return document

    def left(self) -> list[str]:
        """What is left of the run when it had its time to go."""
        left: list[str] = []

        def gone() -> bool:
            left[:] = [one for token in (self._mark, *self._owners) for one in leftovers(token)]
            return not left

        until(gone, within=_CLEAN_WITHIN, every=_LOOK)
        return left

    def _note_owners(self) -> None:
        for process in psutil.Process(self.process.pid).children(recursive=True):
            self._owners.add(f"{process.pid}-{start_of(process.pid)}-")
