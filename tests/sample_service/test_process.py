"""The service as a process: workers, invoices, and how it stops."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from brownout.faults import BlackHole, LockedTables
from brownout.postgres import Postgres
from sample_service.settings import Settings
from tests.sample_service.shop import patient

PATIENCE = 60.0
"""Seconds to start or stop several interpreters on a busy machine."""


def until(condition: Callable[[], bool], *, within: float = PATIENCE) -> None:
    """Wait until the condition holds; fail after that many seconds."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"not within {within} s"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def _own_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pytest remove the temporary files that a killed service leaves."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@contextmanager
def running(
    root: Path, settings: Settings, output: int = subprocess.DEVNULL, /, **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """Start `python -m sample_service`, wait until it is ready, and kill it if it does not end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "sample_service"],
        cwd=root,
        env={
            **os.environ,
            "SHOP_DATABASE_URL": settings.database_url.get_secret_value(),
            "SHOP_PORT": str(port),
            "SHOP_REQUEST_DEADLINE": str(settings.request_deadline),
            "SHOP_POOL_PATIENCE": str(settings.pool_patience),
            "SHOP_CONNECT_TIMEOUT": str(settings.connect_timeout),
            "SHOP_HEALTH_TIMEOUT": str(settings.health_timeout),
            "SHOP_DRAIN_DELAY": "2",
            **environment,
        },
        stdout=output,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
            until(lambda: answers(client, "/health/ready") == 200)
            yield process, client
    finally:
        if process.poll() is None:
            parent = psutil.Process(process.pid)
            family = [*parent.children(recursive=True), parent]
            # Python's resource tracker ends by itself and removes the others' semaphores.
            killed = [each for each in family if "resource_tracker" not in " ".join(each.cmdline())]
            for member in killed:
                with suppress(psutil.NoSuchProcess):  # some end with their parent
                    member.kill()
            process.wait()
            assert not psutil.wait_procs(family, PATIENCE)[1]


def answers(client: httpx.Client, path: str) -> int | None:
    """Return the status, or None if the connection fails."""
    try:
        return client.get(path).status_code
    except httpx.TransportError:
        return None


def test_a_stop_is_announced_and_exits_with_zero(root: Path, settings: Settings) -> None:
    with running(root, patient(settings)) as (process, client):
        process.send_signal(signal.SIGTERM)
        until(lambda: answers(client, "/health/ready") == 503, within=1.5)
        assert answers(client, "/orders") == 200
        assert process.wait(PATIENCE) == 0


def test_a_stop_waits_for_requests_in_flight(
    root: Path, settings: Settings, brownout_postgres: Postgres
) -> None:
    with running(root, patient(settings), SHOP_DRAIN_DELAY="0") as (process, client):
        with (
            ThreadPoolExecutor() as threads,
            brownout_postgres.inject(LockedTables(tables=("public.orders",))) as lock,
        ):
            answer = threads.submit(client.get, "/orders", timeout=2 * PATIENCE)
            until(lambda: any(each.state == "active" for each in brownout_postgres.sessions()))
            process.send_signal(signal.SIGTERM)
            until(lambda: not listens(client))
            lock.heal()
            assert answer.result().status_code == 200
        assert process.wait(PATIENCE) == 0


def test_a_database_that_never_answers_does_not_delay_a_stop(
    root: Path, settings: Settings, brownout_postgres: Postgres
) -> None:
    with (
        running(root, settings, SHOP_DRAIN_DELAY="0") as (process, client),
        ThreadPoolExecutor() as threads,
        brownout_postgres.inject(BlackHole()) as silence,
    ):
        answer = threads.submit(answers, client, "/orders")
        until(lambda: silence.felt > 0)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert time.monotonic() - begun < settings.grace
        assert answer.result() in (503, None)  # None: the stop was faster than the request


def test_a_stop_saves_the_newest_catalogue_for_the_next_process(
    root: Path, settings: Settings, tmp_path: Path
) -> None:
    snapshot = tmp_path / "catalogue.sqlite"
    environment = {
        "SHOP_SNAPSHOT": str(snapshot),
        "SHOP_SNAPSHOT_INTERVAL": "1000",
        "SHOP_DRAIN_DELAY": "0",
    }

    def stock() -> int:
        with closing(sqlite3.connect(snapshot)) as file:
            [(products,)] = file.execute("select json from catalogue")
        return int(next(each["stock"] for each in json.loads(products) if each["sku"] == "tea"))

    with running(root, patient(settings), **environment) as (process, client):
        until(lambda: has_catalogue(snapshot))
        before = stock()
        ordered = client.post("/orders", json={"customer": "Ada", "sku": "tea", "quantity": 1})
        assert ordered.status_code == 201
        assert stock() == before
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert stock() == before - 1


def has_catalogue(snapshot: Path) -> bool:
    """Whether the first snapshot exists."""
    with closing(sqlite3.connect(snapshot)) as file, suppress(sqlite3.OperationalError):
        return bool(file.execute("select 1 from catalogue").fetchall())
    return False


def listens(client: httpx.Client) -> bool:
    """Whether the service's port accepts connections."""
    with socket.socket() as caller:
        return caller.connect_ex((client.base_url.host, client.base_url.port or 0)) == 0


def test_an_invoice_is_drawn_and_a_killed_drawing_process_is_replaced(
    root: Path, settings: Settings
) -> None:
    with running(root, patient(settings)) as (process, client):
        first = client.get("/orders/1/invoice")
        assert first.headers["content-type"] == "image/png"
        for child in psutil.Process(process.pid).children(recursive=True):
            if "spawn_main" in " ".join(child.cmdline()):
                child.kill()
        assert client.get("/orders/1/invoice").content == first.content


def test_a_killed_service_leaves_no_process_behind(root: Path, settings: Settings) -> None:
    with running(root, patient(settings)) as (process, client):
        assert client.get("/orders/1/invoice").status_code == 200
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        orphans = psutil.wait_procs(family, PATIENCE)[1]
        for orphan in orphans:
            orphan.kill()
    assert not orphans


def test_several_workers_are_counted_together_and_stopped_together(
    root: Path, settings: Settings
) -> None:
    asked, workers = 40, 2
    environment = {"SHOP_WORKERS": str(workers), "SHOP_DRAIN_DELAY": "0"}
    with running(root, patient(settings), **environment) as (process, client):
        before = counted(client, QUOTES)
        for _ in range(asked):
            # A new connection each time, so both workers get some.
            assert httpx.get(client.base_url.join("/shipping-quote?weight=1")).status_code == 200
        assert counted(client, QUOTES) - before == asked
        until(lambda: counted(client, OPEN) == workers * settings.pool_size)

        started = psutil.Process(process.pid).children()
        serving = [each for each in started if "spawn_main" in " ".join(each.cmdline())]
        assert len(serving) == workers
        until(lambda: len(serving[0].children()) == 1)
        drawing = serving[0].children()
        serving[0].kill()
        assert not psutil.wait_procs(drawing, PATIENCE)[1]
        until(lambda: counted(client, OPEN) == workers * settings.pool_size)
        assert counted(client, QUOTES) - before == asked

        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert not psutil.wait_procs(family, PATIENCE)[1]


def test_a_crowd_is_spread_over_the_workers(root: Path, settings: Settings) -> None:
    """When workers raced for one socket, one of them took 32 to 40 of 40 connections."""
    crowd, workers = 100, 4
    environment = {"SHOP_WORKERS": str(workers), "SHOP_DRAIN_DELAY": "0"}
    with running(root, settings, **environment) as (process, client), ExitStack() as open_ones:
        until(lambda: counted(client, OPEN) == workers * settings.pool_size)
        address = (client.base_url.host, client.base_url.port or 0)
        for _ in range(crowd):
            open_ones.enter_context(socket.create_connection(address))
        until(lambda: sum(callers_of_each_worker(process.pid, address[1])) >= crowd)
        held = callers_of_each_worker(process.pid, address[1])
    # With a random spread, this many at one of four workers has a probability of 10 ** -12.
    assert len(held) == workers
    assert max(held) <= crowd * 0.6, held


def callers_of_each_worker(process: int, port: int) -> list[int]:
    """Count the callers that are connected to each listening process."""
    children = psutil.Process(process).children()
    by_worker = [each.net_connections("tcp4") for each in children]
    return [
        sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port for one in sockets)
        for sockets in by_worker
        if any(one.status == psutil.CONN_LISTEN for one in sockets)
    ]


def refused(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start the service with an environment in which it cannot serve."""
    return subprocess.run(
        [sys.executable, "-m", "sample_service"],
        cwd=root,
        env={**os.environ, "SHOP_DATABASE_URL": "postgresql://x", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_port_in_use_is_an_error_for_several_workers_too(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = refused(root, SHOP_WORKERS="2", SHOP_PORT=str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Cannot listen on 127.0.0.1, port {port}: Address already in")


QUOTES = 'shop_requests_total{method="GET",origin="",route="/shipping-quote",status="200"}'
OPEN = 'shop_pool_connections{what="open"}'


def counted(client: httpx.Client, wanted: str) -> float:
    """Return the metric's total over all workers; zero if it, or the service, is not there yet."""
    with suppress(httpx.TransportError):
        for line in client.get("/metrics").text.splitlines():
            if line.startswith(wanted):
                return float(line.rpartition(" ")[2])
    return 0.0


@pytest.mark.parametrize("name", ["SHOP_POOL_SIZE", "SHOP_REQUEST_DEADLINE"])
def test_a_wrong_setting_is_named_and_nothing_starts(root: Path, name: str) -> None:
    done = refused(root, **{name: "-1"})
    assert done.returncode != 0
    assert name.removeprefix("SHOP_").lower() in done.stderr
