"""The compared services, each with its own database in one PostgreSQL.

The engine between them can make the network as slow as between two machines. Then the pool limits
the service, not the cores, which the callers need too, and two cores can produce a spike to ten
times the sustained rate.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.error import URLError

import psycopg

from brownout.backends.embedded import EmbeddedBackend
from brownout.control import EngineClient, EngineProcess
from brownout.login import Address
from brownout.reaper import Reaper
from sample_service.migrate import migrate

__all__ = ["SERVICES", "Rig", "served"]

ROOT = Path(__file__).parents[1]
START = 15.0
"""Seconds that a service may take to start."""

TWIN = [
    *(sys.executable, "-m", "uvicorn", "benchmarks.naive_twin:app", "--port", "{port}"),
    *("--no-access-log", "--log-level", "warning"),
]
SERVICES: Mapping[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "shop": ([sys.executable, "-m", "sample_service"], {}),
    "twin": (TWIN, {}),
    "twin_without_resets": (TWIN, {"TWIN_RESETS": "no"}),
}
"""Each service's command and environment variables. The shop resets no session either."""


@dataclass(frozen=True, slots=True)
class Rig:
    """The port of each service, by name, and the engine between them and their databases."""

    engine: EngineClient
    ports: Mapping[str, int]

    def slow_down(self, milliseconds: int) -> None:
        """Delay everything that the databases send by `milliseconds`, from now on."""
        for name in self.ports:
            self.engine.add_toxic(name, "latency", {"latency": milliseconds})


@contextmanager
def served() -> Iterator[Rig]:
    """Run all services for the block."""
    with Reaper.start() as reaper, EngineProcess.start(reaper.environment) as engine:
        backend = EmbeddedBackend(reaper)
        backend.start()
        processes = []
        try:
            ports = {}
            for name, (command, environment) in SERVICES.items():
                proxy = engine.client.create_proxy(name, upstream=str(backend.upstream()))
                way = Address("127.0.0.1", proxy.port)
                login = replace(backend.admin(), database=name, address=way)
                with psycopg.connect(backend.admin().dsn, autocommit=True) as admin:
                    admin.execute(f"CREATE DATABASE {name}")
                migrate(login.dsn)
                ports[name], process = _launched(
                    command, {**environment, "SHOP_DATABASE_URL": login.dsn}
                )
                processes.append(process)
            yield Rig(engine.client, ports)
        finally:
            for process in processes:
                process.kill()
                process.wait()
            backend.stop()


def _launched(
    command: Sequence[str], environment: Mapping[str, str]
) -> tuple[int, "subprocess.Popen[bytes]"]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    process = subprocess.Popen(
        [word.replace("{port}", str(port)) for word in command],
        cwd=ROOT,
        env={**os.environ, **environment, "SHOP_PORT": str(port)},
        stdout=subprocess.DEVNULL,
    )
    end = time.monotonic() + START
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1):
                return port, process
        except (URLError, OSError):
            if time.monotonic() > end or process.poll() is not None:
                process.kill()
                raise
            time.sleep(0.05)
