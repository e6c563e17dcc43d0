"""The pod of examples/kubernetes on one host: the proxy's container has the network, in which the
service's container is, too, and PostgreSQL is elsewhere on it.

No image of Python is at hand, so the containers see this machine's own, read-only.
"""

import json
import secrets
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
import httpx

from brownout.reaper import Reaper

__all__ = ["API", "PROXY", "Pod", "Program", "pod"]

_ROOT: Final = Path(__file__).parents[2]
_SHOWN: Final = ("fixtures", "sample_service", "tests")
"""The folders of this checkout that a container sees."""

_CLI: Final = "import sys, brownout.cli; sys.exit(brownout.cli.main())"
_PATIENCE: Final = 60.0  # seconds
API: Final = 8474
_HTTP: Final = 8000
PROXY: Final = "database"
_ENTRANCE: Final = "127.0.0.1:15432"


@dataclass(frozen=True, slots=True)
class Program:
    """A service: `command` are Python's arguments, `variable` is what its DSN is called, and `env`
    its other variables. `prepare` runs before it, `schema` is SQL for its database."""

    command: Sequence[str]
    variable: str
    env: Mapping[str, str]
    prepare: Sequence[str] = ()
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """`service` and `proxy` are URLs on loopback, as a port-forward has them; `database` is
    PostgreSQL's container."""

    service: str
    proxy: str
    database: Any

    def words(self, *more: str) -> list[str]:
        """The options of a gate that judges it."""
        place = [f"--remote-service={self.service}", f"--remote-proxy={self.proxy}/{PROXY}"]
        return ["--backend=remote", *place, *more]


@contextmanager
def pod(
    client: docker.DockerClient,
    reaper: Reaper,
    program: Program,
    folder: Path,
    *,
    postgres_image: str,
    image: str,
) -> Iterator[Pod]:
    """The program in a pod; `image` is any one, of which nothing is used. All of it is gone after
    the block."""
    reaper.remove_containers()
    name, password = f"brownout-pod-{secrets.token_hex(4)}", secrets.token_hex(16)
    dsn = f"postgresql://shop:{password}@{_ENTRANCE}/shop"
    variables = {**program.env, program.variable: dsn}
    config = folder / "proxies.json"
    proxy = {"name": PROXY, "listen": _ENTRANCE, "upstream": "database:5432"}
    config.write_text(json.dumps([{**proxy, "protocol": "postgresql"}]), encoding="utf-8")
    network = client.networks.create(name, labels=dict(reaper.labels))
    made: list[Any] = []

    def run(*command: str, **options: Any) -> Any:
        """One more container of the pod, confined as in the manifests."""
        container = client.containers.create(
            image,
            list(command),
            entrypoint=[sys.executable],
            user="65534:65534",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            tmpfs={"/tmp": ""},  # noqa: S108 - in the container
            labels=dict(reaper.labels),
            **options,
        )
        made.append(container)
        container.start()
        return container

    try:
        database = client.containers.run(
            postgres_image,
            name=f"{name}-database",
            detach=True,
            network=name,
            networking_config={name: client.api.create_endpoint_config(aliases=["database"])},
            environment={
                "POSTGRES_USER": "shop", "POSTGRES_PASSWORD": password, "POSTGRES_DB": "shop",
            },
            labels=dict(reaper.labels),
        )  # fmt: skip
        made.append(database)
        _until_it_serves(database, password)
        if program.schema:
            _psql(database, password, program.schema)
        sidecar = run(
            "-c", _CLI, "proxy", "-host", "0.0.0.0", "-config", "/etc/brownout/proxies.json",
            network=name,
            ports={f"{port}/tcp": ("127.0.0.1", None) for port in (_HTTP, API)},
            environment={"PYTHONPATH": str(_ROOT / "fixtures"), "LOG_LEVEL": "error"},
            volumes={**_seen(), str(config): {"bind": "/etc/brownout/proxies.json", "mode": "ro"}},
        )  # fmt: skip
        sidecar.reload()
        service, proxy_api = (_published(sidecar, port) for port in (_HTTP, API))
        _until_it_answers(f"{proxy_api}/version", sidecar)
        inside = {
            "network_mode": f"container:{sidecar.id}",
            "environment": {**variables, "PYTHONPATH": f"{_ROOT}:{_ROOT / 'fixtures'}"},
            "volumes": _seen(),
        }
        if program.prepare:
            preparing = run(*program.prepare, **inside)
            ended = preparing.wait(timeout=_PATIENCE)
            assert ended["StatusCode"] == 0, preparing.logs().decode()
        serving = run(*program.command, **inside)
        _until_it_answers(f"{service}/health/ready", serving)
        yield Pod(service, proxy_api, database)
    finally:
        for container in reversed(made):
            container.remove(force=True, v=True)
        network.remove()


def _seen() -> dict[str, dict[str, str]]:
    """What a container sees of this machine: its system, Python, and a part of this checkout."""
    places = [Path("/usr"), Path("/lib"), Path("/lib64"), Path(sys.prefix), Path(sys.base_prefix)]
    places += [_ROOT / name for name in _SHOWN]
    whole = [one for one in places if one.exists()]
    apart = [one for one in whole if not any(other in one.parents for other in whole)]
    return {str(one): {"bind": str(one), "mode": "ro"} for one in apart}


def _published(container: Any, port: int) -> str:
    (binding,) = container.ports[f"{port}/tcp"]
    return f"http://127.0.0.1:{binding['HostPort']}"


def _psql(database: Any, password: str, sql: str) -> None:
    words = ["psql", "--host=127.0.0.1", "--username=shop", "--dbname=shop", "--command", sql]
    code, said = database.exec_run(words, environment={"PGPASSWORD": password})
    assert code == 0, said.decode()


def _until_it_serves(database: Any, password: str) -> None:
    words = ["psql", "--host=127.0.0.1", "--username=shop", "--dbname=shop", "--command=select 1"]
    deadline = time.monotonic() + _PATIENCE
    while database.exec_run(words, environment={"PGPASSWORD": password}).exit_code:
        database.reload()
        assert database.status == "running", database.logs().decode()
        assert time.monotonic() < deadline, database.logs().decode()
        time.sleep(0.1)


def _until_it_answers(url: str, container: Any) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass  # it is not up yet
        container.reload()
        assert container.status == "running", container.logs().decode()
        assert time.monotonic() < deadline, container.logs().decode()
        time.sleep(0.1)
