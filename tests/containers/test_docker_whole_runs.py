"""Whole runs of the suites on docker: bad input, and SIGKILL in the middle of the work."""

import docker
import pytest

from brownout.reaper.containers import LABEL
from tests.backends.waiting import until
from tests.containers.belongings import Belongings
from tests.frame.whole_runs import Killed, left_by, suites

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]

DOCKER = "--brownout-backend=docker"
NOWHERE = "127.0.0.1:1/nobody/nothing:none"  # nothing listens there: refused on loopback


@pytest.mark.usefixtures("daemon")
def test_an_image_that_cannot_be_had_ends_the_run_with_one_error() -> None:
    code, said, left = suites(DOCKER, "--brownout-postgres-image", NOWHERE)
    assert code == 2, said
    told = " ".join(said.split())
    assert told.count(f"The image {NOWHERE} is not available. Tried:") == 1
    assert told.count("What to do: ") == 1
    assert f"docker pull {NOWHERE}" in told
    assert left == []


def test_nothing_is_left_of_suites_killed_on_docker(docker_client: docker.DockerClient) -> None:
    seen: list[Belongings] = []

    def look(killed: Killed) -> None:
        assert killed.token is not None
        seen.append(Belongings(docker_client, {LABEL: killed.token}))
        assert len(seen[0].containers()) == 2
        assert len(seen[0].networks()) == 1

    killed = Killed(1, DOCKER, before=look)
    assert left_by(killed.owner) == []
    until(seen[0].are_gone, within=60)
    assert seen[0].are_gone(), seen[0]
