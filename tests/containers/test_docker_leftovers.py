"""A run that is killed leaves nothing in Docker, whatever it was doing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import docker
import psutil
import pytest

from brownout.backends.docker.daemon import Daemon
from brownout.reaper import Reaper
from tests.backends.waiting import has_ended
from tests.containers.belongings import Belongings

pytestmark = pytest.mark.docker

_OWNER = """
import json, sys
from brownout.backends.docker import DockerBackend
from brownout.reaper import Reaper

reaper = Reaper.start()
backend = DockerBackend(reaper, **json.loads(sys.argv[1]))
print(reaper.run, reaper._process.pid, flush=True)
backend.start()
print("started", flush=True)
sys.stdin.read()
"""

_PATIENCE = 60.0
"""Seconds for Docker on a busy machine; the reaper goes on looking for 10 s after its last find."""


def until(what: Callable[[], bool], failure: object) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not what():
        assert time.monotonic() < deadline, failure
        time.sleep(0.02)


class Owner:
    """A process that starts the backend with a reaper of its own, and waits to be killed."""

    def __init__(self, client: docker.DockerClient, images: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _OWNER, json.dumps(images)],
            env={**os.environ, "TESTCONTAINERS_RYUK_DISABLED": "true"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.run, reaper = self._line().split()
        self.reaper = psutil.Process(int(reaper))
        self.belongings = Belongings(client, {"brownout.run": self.run})

    def wait_until_started(self) -> None:
        assert self._line() == "started"

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture
def owners(docker_client: docker.DockerClient, images: dict[str, str]) -> Iterator[list[Owner]]:
    """Two owners, starting."""
    with ExitStack() as stack:
        owners = []
        for _ in range(2):
            owners.append(Owner(docker_client, images))
            stack.callback(owners[-1].close)
        yield owners


@pytest.fixture
def owner(docker_client: docker.DockerClient, images: dict[str, str]) -> Iterator[Owner]:
    """One owner whose backend has started."""
    owner = Owner(docker_client, images)
    try:
        owner.wait_until_started()
        yield owner
    finally:
        owner.close()


def test_an_owner_killed_while_it_serves_leaves_nothing(
    owner: Owner, docker_client: docker.DockerClient
) -> None:
    volumes = owner.belongings.volumes()
    containers = owner.belongings.containers()

    owner.kill()

    until(owner.belongings.are_gone, owner.belongings)
    # Docker forgets a container a moment before it removes its volumes.
    until(
        lambda: volumes.isdisjoint(volume.name for volume in docker_client.volumes.list()), volumes
    )
    assert len(containers) == 2


def test_owners_killed_while_they_start_leave_nothing(owners: list[Owner]) -> None:
    early, late = owners
    until(lambda: bool(early.belongings.networks()), "no network was made")
    early.kill()
    until(lambda: bool(late.belongings.containers()), "no container was made")
    late.kill()

    # What was asked for before the death may still be on its way: the reaper's end is the end.
    for owner in owners:
        until(partial(has_ended, owner.reaper), owner.reaper)
        assert owner.belongings.are_gone(), owner.belongings


def test_the_next_run_removes_what_a_killed_owner_and_reaper_left(
    owner: Owner, daemon: Daemon
) -> None:
    containers = owner.belongings.containers()
    owner.reaper.kill()
    owner.kill()

    with Reaper.start() as reaper:
        reaper.remove_containers(daemon.host)

    assert len(containers) == 2
    assert owner.belongings.are_gone(), owner.belongings
