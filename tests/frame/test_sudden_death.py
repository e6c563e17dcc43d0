"""SIGKILL of `pytest suites` in the middle of its work: nothing of it is left."""

import os
import random
import subprocess
import sys
from pathlib import Path

import docker
import psutil
import pytest

from brownout.reaper.containers import LABEL
from brownout.reaper.run import MARK, start_of
from tests.backends.waiting import leftovers, processes, segments, until
from tests.containers.belongings import Belongings

ROOT = Path(__file__).parents[2]
SUITES = ["suites/test_outage.py", "suites/test_recovery.py"]
WITHIN = 60.0  # seconds; a quiet machine needs two


class Killed:
    """A run of the suites that is killed once so many tests have passed, and a moment later.

    `owner` begins its token; `token` is None where it had started nothing yet. `pids` were its
    processes when it was killed.
    """

    def __init__(self, passed: int, *words: str) -> None:
        # Drawn, so that it falls into a set-up, a fault in force, a heal.
        moment = random.uniform(0, 1)  # noqa: S311
        print("killed", moment, "s after", passed, "passed tests")
        run = subprocess.Popen(
            [sys.executable, "-u", "-m", "pytest", *SUITES, "-v", *words],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.owner = f"{run.pid}-{start_of(run.pid)}-"
        assert run.stdout is not None
        while passed:
            line = run.stdout.readline()
            assert line, "it ended before it could be killed"
            passed -= "PASSED" in line
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(timeout=moment)
        found = processes(self.owner)
        run.kill()
        run.communicate()
        self.pids = {process.pid for process in found}
        self.token = next(filter(None, map(_token, found)), None)


def _token(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except psutil.Error:
        return None


def left_by(killed: Killed) -> list[str]:
    """What is left once it stays as it is."""
    until(lambda: not leftovers(killed.owner), within=WITHIN)
    return leftovers(killed.owner)


@pytest.mark.parametrize("passed", [0, 1, 8])
def test_nothing_is_left_of_killed_suites(passed: int) -> None:
    killed = Killed(passed)
    assert left_by(killed) == []
    if passed:
        assert len(killed.pids) > 4  # reaper, engine, service, PostgreSQL: it was at work
        assert segments(killed.pids) == set()


@pytest.mark.docker
def test_nothing_is_left_of_suites_killed_on_docker() -> None:
    killed = Killed(1, "--brownout-backend=docker")
    assert killed.token is not None
    assert left_by(killed) == []
    client = docker.from_env()
    belongings = Belongings(client, {LABEL: killed.token})
    until(belongings.are_gone, within=WITHIN)
    assert belongings.are_gone(), belongings
    client.close()
