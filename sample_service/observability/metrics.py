"""Prometheus metrics, which are complete with several workers too.

For several workers `process/server.py` sets `PROMETHEUS_MULTIPROC_DIR`. Each process writes its
numbers into files of that folder, and the one that answers `/metrics` adds them up.
"""

import os
from functools import cache
from pathlib import Path
from typing import Final

import psutil
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from starlette.responses import Response
from starlette.types import Scope

from sample_service.resilience.breaker import State
from sample_service.resilience.database import Database

__all__ = ["count", "exposition", "observe"]

REQUESTS: Final = Counter(
    "shop_requests_total", "Requests, by how they ended.", ["method", "route", "status", "origin"]
)
SECONDS: Final = Histogram(
    "shop_request_seconds",
    "How long answers took.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.85, 1.0, 2.0),
)
POOL: Final = Gauge(
    "shop_pool_connections",
    "Connections that are open, taken, or waited for.",
    ["what"],
    multiprocess_mode="livesum",
)
BREAKER: Final = Gauge(
    "shop_breaker_open",
    "Open breakers, by circuit.",
    ["circuit"],
    multiprocess_mode="livesum",
)


def count(scope: Scope, status: int, seconds: float) -> None:
    """Count one request; `status` is 0 if the caller disconnected before an answer."""
    route = getattr(scope.get("route"), "path", "unknown")
    origin = scope["state"].get("origin", "")
    _requests(scope["method"], route, str(status), origin).inc()
    _seconds(route).observe(seconds)


# `labels` takes a lock and validates its arguments each time; there are a few dozen combinations.
_requests: Final = cache(REQUESTS.labels)
_seconds: Final = cache(SECONDS.labels)


def observe(database: Database) -> None:
    """Record the current state of the pool and the breakers."""
    POOL.labels("open").set(database.pool.size)
    POOL.labels("taken").set(database.pool.gate.taken)
    POOL.labels("waited for").set(database.waiting)
    for name, circuit in database.circuits.items():
        BREAKER.labels(name).set(circuit.breaker.state is State.OPEN)


def exposition() -> Response:
    """Return all metrics in Prometheus' text format."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    registry = REGISTRY
    if folder:
        _forget_the_dead(Path(folder))
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _forget_the_dead(folder: Path) -> None:
    """Drop the gauges of killed workers."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not psutil.pid_exists(pid):
            multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
