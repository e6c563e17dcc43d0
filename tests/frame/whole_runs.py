"""Runs of the suites as a user starts them: `pytest suites/…`, in a process of its own."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from brownout.reaper.run import MARK, start_of
from brownout.settings.options import OPTIONS, POSTGRES_IMAGE, TOXIPROXY_IMAGE
from tests.backends.waiting import leftovers, processes, until
from tests.plugin.conftest import QUIETLY

__all__ = ["Killed", "left_by", "suites"]

_ROOT = Path(__file__).parents[2]
_PATIENCE = 160.0  # seconds, as in tests/frame/gates.py
_WITHIN = 60.0  # seconds; the reaper goes on looking for 10 s after its last find in Docker
_LOOK = 0.1  # seconds; each look is at every process of the machine
_OF_THE_MACHINE = {POSTGRES_IMAGE.variable, TOXIPROXY_IMAGE.variable}
_NOT_INHERITED = {option.variable for option in OPTIONS} - _OF_THE_MACHINE | {"PYTEST_ADDOPTS"}


def suites(
    *words: str, suite: str = "test_outage.py", **environment: str
) -> tuple[int, str, list[str]]:
    """The run's exit code, what it printed, and what it left behind."""
    run, owner = _started(f"suites/{suite}", "-q", *words, **environment)
    try:
        said, _ = run.communicate(timeout=_PATIENCE)
    finally:
        run.kill()  # if it took too long
    return run.returncode, said, left_by(owner)


def _started(*words: str, **environment: str) -> tuple[subprocess.Popen[str], str]:
    """A run of pytest without this process's options, and how its token begins."""
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    run = subprocess.Popen(
        [sys.executable, "-u", "-m", "pytest", *QUIETLY, *words],
        cwd=_ROOT,
        env={**inherited, "PYTHONPATH": str(_ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return run, f"{run.pid}-{start_of(run.pid)}-"


def left_by(owner: str) -> list[str]:
    """What is left of a run whose token begins like this, when it had its time to go."""
    left: list[str] = []

    def gone() -> bool:
        left[:] = leftovers(owner)
        return not left

    until(gone, within=_WITHIN, every=_LOOK)
    return left


class Killed:
    """A run of the suites that is killed once so many tests have passed, and a moment later.

    `owner` begins its token; `pids` were its processes, and `token` what they were marked with
    (None where there were none), when `before` was called with it, right before the SIGKILL.
    """

    def __init__(
        self, passed: int, *words: str, before: Callable[["Killed"], None] = lambda _: None
    ) -> None:
        # Drawn, so that it falls into a set-up, a fault in force, a heal.
        moment = random.uniform(0, 1)  # noqa: S311
        print("killed", moment, "s after", passed, "passed tests")
        files = ["suites/test_outage.py", "suites/test_recovery.py"]
        run, self.owner = _started(*files, "-v", *words)
        assert run.stdout is not None
        while passed:
            line = run.stdout.readline()
            assert line, "it ended before it could be killed"
            passed -= "PASSED" in line
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(timeout=moment)
        found = processes(self.owner)
        self.pids = {process.pid for process in found}
        self.token = next(filter(None, map(_token, found)), None)
        before(self)
        run.kill()
        run.communicate()


def _token(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except psutil.Error:
        return None
