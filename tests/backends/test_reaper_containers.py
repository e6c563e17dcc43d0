"""Containers and networks of a run: all go, also after a sudden death; nobody else's do."""

import io
import os
import secrets
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import docker
import pytest

from brownout.errors import BrownoutError
from brownout.reaper import Reaper
from brownout.reaper.containers import LABEL
from brownout.reaper.run import Run
from tests.backends.waiting import dead_run, until

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException as error:
        if os.environ.get("BROWNOUT_REQUIRE_DOCKER") == "1":
            raise
        pytest.skip(f"no Docker engine answers: {error}")
    with closing(client):
        yield client


@pytest.fixture(scope="module")
def image(engine: docker.DockerClient) -> Iterator[str]:
    """An image with nothing in it: its containers can be made, and that is all."""
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    name = f"brownout-test-{secrets.token_hex(4)}"
    engine.api.import_image_from_data(empty.getvalue(), repository=name, tag="latest")
    yield name
    engine.images.remove(name, force=True)


@pytest.fixture
def name(engine: docker.DockerClient) -> Iterator[str]:
    """A name for a network and a container, which are removed in the end."""
    chosen = f"brownout-test-{secrets.token_hex(4)}"
    yield chosen
    for container in engine.containers.list(all=True, filters={"name": chosen}):
        container.remove(force=True)
    for network in engine.networks.list(names=[chosen]):
        network.remove()


def make(engine: docker.DockerClient, image: str, name: str, token: str) -> None:
    engine.networks.create(name, labels={LABEL: token})
    engine.containers.create(image, "nothing", name=name, network=name, labels={LABEL: token})


def there_is(engine: docker.DockerClient, name: str) -> bool:
    containers = engine.containers.list(all=True, filters={"name": name}, sparse=True)
    return bool(containers or engine.networks.list(names=[name]))


def test_the_runs_own_are_removed(engine: docker.DockerClient, image: str, name: str) -> None:
    with Reaper.start() as reaper:
        reaper.remove_containers()
        make(engine, image, name, reaper.labels[LABEL])

    assert not there_is(engine, name)


def test_those_of_a_dead_run_are_removed(
    engine: docker.DockerClient, image: str, name: str
) -> None:
    # The owner lives until they are made: other tests' reapers look for dead runs, too.
    script = "from brownout.reaper.run import Run; print(Run.current().token, flush=True); input()"
    owner = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    make(engine, image, name, owner.stdout.readline().strip())
    owner.kill()
    owner.communicate()
    with Reaper.start() as reaper:
        reaper.remove_containers()

    assert not there_is(engine, name)


@pytest.mark.parametrize(
    "token",
    [Run.current().token, replace(dead_run(), place="00000000").token, "nonsense"],
    ids=["of a live owner", "of another place", "of somebody else's making"],
)
def test_those_of_others_stay(
    engine: docker.DockerClient, image: str, name: str, token: str
) -> None:
    make(engine, image, name, token)
    with Reaper.start() as reaper:
        reaper.remove_containers()

    assert there_is(engine, name)


def test_nothing_is_left_of_an_owner_killed_while_it_makes_them(
    engine: docker.DockerClient, image: str, name: str
) -> None:
    script = f"""
import docker
from brownout.reaper import Reaper
reaper = Reaper.start()
reaper.remove_containers()
engine = docker.from_env()
engine.networks.create({name!r}, labels=dict(reaper.labels))
print("network", flush=True)
engine.containers.create({image!r}, "nothing", name={name!r}, labels=dict(reaper.labels))
"""
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "network\n"
    owner.kill()
    owner.communicate()

    assert until(lambda: not there_is(engine, name))


def test_an_engine_that_does_not_answer_is_told() -> None:
    reaper = Reaper.start()
    reaper.remove_containers("tcp://127.0.0.1:1")

    with pytest.raises(BrownoutError, match="could not be removed"):
        reaper.close()
