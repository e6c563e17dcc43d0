"""A container image as the service: started, ended and removed like a process of this machine."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest

from brownout import Budget, Health, Service, ServiceNotReady, ms, seconds
from brownout.login import Address, Login
from brownout.reaper import Reaper
from brownout.service.process import RunningService
from tests.core.clients import soon

pytestmark = pytest.mark.docker

LOGIN = Login(Address("127.0.0.1", 5433), "shop_db", "shop_role", "not-a-word-of-the-log")
GRACE = seconds(20)
Running = Callable[..., RunningService]


def containers(client: docker.DockerClient, run: str) -> list[Any]:
    filters = {"label": f"brownout.run={run}", "name": "brownout-service-"}
    # One may be removed between the list and the look at it.
    return list(client.containers.list(all=True, filters=filters, ignore_removed=True))


@pytest.fixture
def run(
    docker_client: docker.DockerClient, toxiproxy_image: str, reaper: Reaper, tmp_path: Path
) -> Iterator[Running]:
    """Makes services of Toxiproxy's image, not yet started; none of their containers is left."""
    made: list[RunningService] = []

    def make(image: str = toxiproxy_image, grace: timedelta = GRACE) -> RunningService:
        one = RunningService(
            Service(
                image=image,
                command=["-host=127.0.0.1", "-port={port}"],
                env={"LOG_LEVEL": "info"},
                health=Health(live="/version", ready="/version"),
                budget=Budget(request=seconds(1), recovery=seconds(5), pool=1, grace=grace),
            ),
            LOGIN,
            folder=tmp_path,
            environment=reaper.environment,
            announce=reaper.end_session,
            start_timeout=seconds(60),
        )
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()
    assert soon(lambda: containers(docker_client, reaper.run) == [])


def test_an_image_is_started_answers_and_is_stopped(
    run: Running, docker_client: docker.DockerClient, reaper: Reaper
) -> None:
    one = run()
    one.start()
    assert httpx.get(f"{one.url}/version", trust_env=False).status_code == 200
    assert "Starting Toxiproxy HTTP server" in one.log()
    (container,) = containers(docker_client, reaper.run)
    assert one.computing() == (container.attrs["State"]["Pid"],)
    assert not any(LOGIN.password in word for word in container.attrs["Args"])
    one.stop()
    assert containers(docker_client, reaper.run) == []


def test_it_can_be_started_again_on_the_same_port(run: Running) -> None:
    one = run()
    one.start()
    url = one.url
    one.restart()
    assert one.url == url
    assert one.running


def test_how_a_container_ended_is_known(
    run: Running, docker_client: docker.DockerClient, reaper: Reaper
) -> None:
    one = run()
    one.start()
    (container,) = containers(docker_client, reaper.run)
    container.kill()
    assert one._process is not None
    one._process.wait(60)
    assert not one.running
    assert one.exit_code == 137  # 128 and SIGKILL, as Docker's command tells it


def test_one_that_does_not_stop_in_time_is_removed(
    run: Running, docker_client: docker.DockerClient, reaper: Reaper
) -> None:
    one = run(grace=ms(1))
    one.start()
    (container,) = containers(docker_client, reaper.run)
    container.pause()  # it ends at no signal
    one.stop()
    # Docker may be removing it by itself already, and answers before that is done.
    assert soon(lambda: containers(docker_client, reaper.run) == [])


def test_an_image_that_is_not_there_is_told(run: Running) -> None:
    with pytest.raises(ServiceNotReady, match="Exit code 125") as refusal:
        run("brownout-no-such-image:1").start()
    assert "brownout-no-such-image" in str(refusal.value)
