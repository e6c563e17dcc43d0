"""What cannot be started is refused in one clear error, and leaves nothing behind."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from brownout.backends.docker import DockerBackend
from brownout.backends.docker import backend as backend_module
from brownout.errors import BackendUnavailable
from brownout.reaper import Reaper
from tests.containers.belongings import Belongings


@pytest.fixture(scope="module")
def reaper() -> Iterator[Reaper]:
    """One to which nothing belongs but what is refused here."""
    with Reaper.start() as reaper:
        yield reaper


def _dead_socket(folder: Path) -> str:
    return f"unix://{folder / 'docker.sock'}"


def _closed_port(_: Path) -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


def _no_address(_: Path) -> str:
    return "nonsense"


@pytest.mark.parametrize("place", [_dead_socket, _closed_port, _no_address])
def test_no_engine_is_answered_with_what_was_tried_and_what_to_do(
    place: Callable[[Path], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reaper: Reaper,
) -> None:
    host = place(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", host)

    with pytest.raises(BackendUnavailable) as caught:
        DockerBackend(reaper).start()

    assert caught.value.cause == "No Docker engine answers."
    assert host in caught.value.tried[0]
    assert "DOCKER_HOST" in caught.value.tried[0]
    assert "Start Docker" in caught.value.remedy
    assert "--brownout-backend=embedded" in caught.value.remedy


def _ask(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "brownout.backends.docker"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.docker
@pytest.mark.usefixtures("daemon")
def test_the_command_says_that_an_engine_answers() -> None:
    asked = _ask()

    assert asked.returncode == 0
    assert asked.stdout.startswith("a Docker engine answers: version ")
    assert asked.stderr == ""


def test_the_command_says_why_no_engine_answers(tmp_path: Path) -> None:
    host = _dead_socket(tmp_path)

    asked = _ask(DOCKER_HOST=host)

    assert asked.returncode == 1
    assert asked.stdout == ""
    assert host in asked.stderr
    assert "Traceback" not in asked.stderr


@pytest.mark.docker
@pytest.mark.parametrize(
    ("argument", "variable"),
    [
        ("postgres_image", "BROWNOUT_POSTGRES_IMAGE"),
        ("toxiproxy_image", "BROWNOUT_TOXIPROXY_IMAGE"),
    ],
)
def test_an_image_that_cannot_be_had_is_named_with_its_variable(
    argument: str,
    variable: str,
    docker_client: docker.DockerClient,
    reaper: Reaper,
    images: dict[str, str],
) -> None:
    # Nothing listens on port 1: the pull is refused on loopback, without a way out.
    nowhere = "127.0.0.1:1/nobody/nothing:none"

    with pytest.raises(BackendUnavailable) as caught:
        DockerBackend(reaper, **{**images, argument: nowhere}).start()

    assert caught.value.cause == f"The image {nowhere} is not available."
    assert f"docker pull {nowhere}" in caught.value.remedy
    assert variable in caught.value.remedy
    assert Belongings(docker_client, reaper.labels).are_gone()


@pytest.mark.docker
def test_a_container_that_ends_is_reported_with_its_last_words(
    docker_client: docker.DockerClient,
    reaper: Reaper,
    images: dict[str, str],
    postgres_image: str,
) -> None:
    # A PostgreSQL image that is given no password ends at once, and says so.
    backend = DockerBackend(reaper, **{**images, "toxiproxy_image": postgres_image})

    with pytest.raises(BackendUnavailable) as caught:
        backend.start()

    assert "The container of Toxiproxy ended with exit code" in caught.value.cause
    assert postgres_image in caught.value.tried[0]
    assert "password" in " ".join(caught.value.tried[1:]).lower()
    assert Belongings(docker_client, reaper.labels).are_gone()


@pytest.mark.docker
def test_a_container_that_never_answers_is_given_up(
    docker_client: docker.DockerClient,
    reaper: Reaper,
    images: dict[str, str],
    toxiproxy_image: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backend_module, "_PATIENCE", 2.0)
    backend = DockerBackend(reaper, **{**images, "postgres_image": toxiproxy_image})

    with pytest.raises(BackendUnavailable) as caught:
        backend.start()

    assert "The container of PostgreSQL did not answer within 2 s" in caught.value.cause
    assert toxiproxy_image in caught.value.tried[0]
    assert Belongings(docker_client, reaper.labels).are_gone()
