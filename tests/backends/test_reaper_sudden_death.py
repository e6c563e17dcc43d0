"""SIGKILL of the owner, at random moments: nothing is left, whatever was under way."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from brownout.backends.embedded import EmbeddedBackend
from brownout.reaper import Reaper
from tests.backends.waiting import leftovers, until

OWNER = Path(__file__).with_name("owner.py")


def owner_with(cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(OWNER), str(cache)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_nothing_is_left_of_owners_killed_at_random_moments(scratch: Path, cache: Path) -> None:
    """Four at once: with a cold and a warm cache, alone and with their whole process group."""
    cold = [scratch / "cold0", scratch / "cold1"]
    owners = [owner_with(place) for place in (*cold, cache, cache)]
    tokens = [owner.stdout.readline().strip() for owner in owners if owner.stdout]
    for owner, moment in zip(owners, sorted(random.uniform(0, 0.4) for _ in owners), strict=True):  # noqa: S311
        print("killed after another", moment, "s")
        with pytest.raises(subprocess.TimeoutExpired):
            owner.wait(timeout=moment)
        if owner is owners[1] or owner is owners[3]:
            os.killpg(owner.pid, signal.SIGKILL)
        else:
            owner.kill()
        owner.communicate()

    def left() -> list[str]:
        return [what for token in tokens for what in leftovers(token, *cold, cache)]

    until(lambda: not left())
    assert left() == []
    with Reaper.start() as reaper:
        # Whatever a killed initdb left: the next start makes a whole cluster.
        backend = EmbeddedBackend(reaper, cache=cold[1])
        backend.start()
        backend.stop()


def test_the_reaper_acts_though_somebody_holds_its_pipe_open() -> None:
    """A forked child that executes nothing keeps the owner's end of the pipe."""
    script = (
        "import os, subprocess, sys, time; from brownout.reaper import Reaper; r = Reaper.start();"
        "child = subprocess.Popen(['sleep', '60'], env={**os.environ, **r.environment});"
        "holder = os.fork() or time.sleep(60);"
        "print(child.pid, holder, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    child, holder = (psutil.Process(int(pid)) for pid in owner.stdout.readline().split())
    owner.kill()
    owner.wait()

    ended = until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    alive = holder.is_running()
    holder.kill()
    owner.communicate()
    assert ended
    assert alive
