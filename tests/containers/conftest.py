"""Tests that need a Docker engine say so where there is none; BROWNOUT_REQUIRE_DOCKER=1 fails."""

import os
from collections.abc import Iterator

import docker
import pytest

from brownout.backends.docker import DockerBackend
from brownout.backends.docker.daemon import Daemon
from brownout.errors import BackendUnavailable
from brownout.reaper import Reaper
from brownout.settings.options import POSTGRES_IMAGE, TOXIPROXY_IMAGE

_IMAGES = {
    "postgres_image": "BROWNOUT_POSTGRES_IMAGE",
    "toxiproxy_image": "BROWNOUT_TOXIPROXY_IMAGE",
}


@pytest.fixture(scope="session")
def daemon() -> Iterator[Daemon]:
    try:
        daemon = Daemon.connect()
    except BackendUnavailable as error:
        if os.environ.get("BROWNOUT_REQUIRE_DOCKER") == "1":
            raise
        pytest.skip(f"needs a Docker engine. {error}")
    yield daemon
    daemon.close()


@pytest.fixture(scope="session")
def docker_client(daemon: Daemon) -> docker.DockerClient:
    """Docker's own client, to look behind the backend's back."""
    return daemon._client.client


@pytest.fixture(scope="session")
def images(daemon: Daemon) -> dict[str, str]:  # noqa: ARG001 - skips where none answers
    """The images that the environment names, as the backend's arguments."""
    return {
        argument: os.environ[variable]
        for argument, variable in _IMAGES.items()
        if variable in os.environ
    }


@pytest.fixture(scope="session")
def postgres_image(images: dict[str, str]) -> str:
    return images.get("postgres_image", POSTGRES_IMAGE.default)


@pytest.fixture(scope="session")
def toxiproxy_image(images: dict[str, str]) -> str:
    return images.get("toxiproxy_image", TOXIPROXY_IMAGE.default)


@pytest.fixture(scope="session")
def backend(reaper: Reaper, images: dict[str, str]) -> Iterator[DockerBackend]:
    """A backend that the tests of a worker share; each leaves it whole."""
    backend = DockerBackend(reaper, **images)
    backend.start()
    yield backend
    backend.stop()
