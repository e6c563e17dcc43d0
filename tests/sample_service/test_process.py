"""The service as a process: workers, invoices, and the way it stops."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from sample_service.settings import Settings

PATIENCE = 15.0
"""Seconds to start or stop: several interpreters on a busy machine."""


def until(condition: Callable[[], bool], *, within: float = PATIENCE) -> None:
    """Wait until the condition holds; fails after that many seconds."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"not within {within} s"
        time.sleep(0.02)


@contextmanager
def running(
    root: Path, settings: Settings, **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """`python -m sample_service`, ready; killed at the end if it still runs."""
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
            "SHOP_DRAIN_DELAY": "2",
            **environment,
        },
        stdout=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
            until(lambda: answers(client, "/health/ready") == 200)
            yield process, client
    finally:
        if process.poll() is None:
            parent = psutil.Process(process.pid)
            for member in (*parent.children(recursive=True), parent):
                member.kill()
            process.wait()


def answers(client: httpx.Client, path: str) -> int | None:
    """The status; None where nobody listens."""
    try:
        return client.get(path).status_code
    except httpx.TransportError:
        return None


def test_a_stop_is_announced_and_ends_with_zero(root: Path, settings: Settings) -> None:
    with running(root, settings) as (process, client):
        process.send_signal(signal.SIGTERM)
        until(lambda: answers(client, "/health/ready") == 503, within=1.5)
        assert answers(client, "/orders") == 200
        assert process.wait(PATIENCE) == 0


def test_an_invoice_is_drawn_and_a_killed_drawing_process_is_replaced(
    root: Path, settings: Settings
) -> None:
    with running(root, settings) as (process, client):
        first = client.get("/orders/1/invoice")
        assert first.headers["content-type"] == "image/png"
        for child in psutil.Process(process.pid).children(recursive=True):
            if "spawn_main" in " ".join(child.cmdline()):
                child.kill()
        assert client.get("/orders/1/invoice").content == first.content


def test_metrics_are_right_with_several_workers(root: Path, settings: Settings) -> None:
    asked = 40
    with running(root, settings, SHOP_WORKERS="2") as (_, client):
        before = counted(client)
        for _ in range(asked):
            # A connection of its own each time, so that both workers get some.
            assert httpx.get(client.base_url.join("/shipping-quote?weight=1")).status_code == 200
        assert counted(client) - before == asked


def counted(client: httpx.Client) -> float:
    """How many quotes all workers together have counted."""
    wanted = 'shop_requests_total{method="GET",origin="",route="/shipping-quote",status="200"}'
    for line in client.get("/metrics").text.splitlines():
        if line.startswith(wanted):
            return float(line.rpartition(" ")[2])
    return 0.0


@pytest.mark.parametrize("name", ["SHOP_POOL_SIZE", "SHOP_REQUEST_DEADLINE"])
def test_a_wrong_setting_is_named_and_nothing_starts(root: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sample_service"],
        cwd=root,
        env={**os.environ, "SHOP_DATABASE_URL": "postgresql://x", name: "-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert name.removeprefix("SHOP_").lower() in done.stderr
