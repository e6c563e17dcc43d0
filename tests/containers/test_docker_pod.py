"""The topology of examples/kubernetes, with containers: the remote backend judges a service through
the proxy beside it, and a watch judges it while its database is stopped."""

import signal
from pathlib import Path

import docker
import pytest

from brownout.control import EngineClient
from brownout.reaper import Reaper
from tests.containers.pod import PROXY, Pod, Program, pod
from tests.controls.kiosk.counter import SCHEMA
from tests.frame.gates import Gate
from tests.watch.commanded import Watch

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

ONLY = "--only=" + ",".join(
    [
        *(f"{one}/outage" for one in ("E1", "E5", "E9", "H1", "H3", "H4", "T6", "V1")),
        *(f"{one}/black_hole" for one in ("E9", "H3", "T2", "V2")),
        *(f"{one}/reset" for one in ("E5", "T1", "V2")),
    ]
)

SAMPLE = Program(
    ["-m", "sample_service"],
    "SHOP_DATABASE_URL",
    {
        "SHOP_HOST": "0.0.0.0",
        "SHOP_HEALTH_INTERVAL": "0.1",
        "SHOP_BREAKER_REST": "0.1",
        "LOGNAME": "shop",
    },
    prepare=["-m", "sample_service.migrate"],
)
"""With the intervals that conftest.py declares, since the suites wait for them often. Its
migrations note who applies them, and the container's user has no name."""


def control(app: str) -> Program:
    """A kiosk that breaks a promise."""
    words = ["-m", "uvicorn", "--factory", app, "--host", "0.0.0.0", "--port", "8000"]
    return Program([*words, "--log-level", "warning"], "DATABASE_URL", {}, schema=SCHEMA)


def judged(place: Pod, folder: Path, declared: str) -> tuple[Gate, int, str]:
    with Gate(folder, *place.words(declared, ONLY)) as gate:
        code, said = gate.end()
        assert gate.left() == []
    record = EngineClient(place.proxy.removeprefix("http://")).proxy(PROXY)
    assert record.enabled
    assert not record.toxics
    return gate, code, said


def with_verdict(gate: Gate, verdict: str) -> set[str]:
    return {one["id"] for one in gate.document()["behaviours"] if one["verdict"] == verdict}


def test_the_sample_service_in_a_pod_keeps_its_promises(
    docker_client: docker.DockerClient, reaper: Reaper, tmp_path: Path, postgres_image: str,
    toxiproxy_image: str,
) -> None:  # fmt: skip
    with pod(
        docker_client, reaper, SAMPLE, tmp_path, postgres_image=postgres_image,
        image=toxiproxy_image,
    ) as place:  # fmt: skip
        gate, code, said = judged(place, tmp_path, "--service=tests.containers.declared:shop")
    assert code == 0, said
    assert with_verdict(gate, "kept") == {
        *("E1", "E5", "E9", "H1", "H3", "H4", "T1", "T2", "T6", "V1", "V2"),
    }, said


def test_a_control_in_a_pod_is_found_by_the_gate_and_by_a_watch(
    docker_client: docker.DockerClient, reaper: Reaper, tmp_path: Path, postgres_image: str,
    toxiproxy_image: str,
) -> None:  # fmt: skip
    """Its liveness asks the database, and its readiness does not: a probe would restart it."""
    program = control("tests.controls.broken.health:swapped_probes_bundle")
    declared = "--service=tests.remote.declared:kiosk"
    with pod(
        docker_client, reaper, program, tmp_path, postgres_image=postgres_image,
        image=toxiproxy_image,
    ) as place:  # fmt: skip
        gate, code, said = judged(place, tmp_path, declared)
        assert code == 1, said
        assert {"H1", "H3"} <= with_verdict(gate, "broken"), said
        assert not {"E1", "E5", "E9", "T2", "V1"} & with_verdict(gate, "broken"), said
        url = f"--remote-service={place.service}"
        with Watch(tmp_path, url, declared, "--every=0.2", "--until-signal") as watch:
            watch.until("watching: all is well")
            place.database.stop(timeout=0)
            watch.until("requests fail")
            place.database.start()
            watch.until("all is well again")
            watch.send(signal.SIGINT)
            code, said = watch.end()
    assert code == 1, said
    assert "H1" in watch.having("broken"), said
    assert not {"E1", "E5", "T1"} & watch.having("broken"), said
