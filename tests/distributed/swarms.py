"""Load by Locust in tests: its processes, and arrivals for a peer."""

from collections.abc import Sequence
from datetime import timedelta

import httpx
import psutil

from brownout.distributed.messages import Arrival, Order, in_text
from brownout.settings.loading import LocustPlace
from brownout.units import seconds

__all__ = ["LOCAL", "MARK", "WITHIN", "arrivals", "of_this", "order"]

LOCAL = LocustPlace("127.0.0.1", 0, 2, elsewhere=False)
WITHIN = seconds(60)
"""For processes to come up on a busy machine."""

MARK = "BROWNOUT_TEST_SWARM"


def arrivals(url: str, moments: Sequence[float]) -> tuple[Arrival, ...]:
    """GETs that are due then, each with a path of its own."""
    made = []
    for number, due in enumerate(moments):
        request = httpx.Request("GET", f"{url}/{number}")
        target = request.url.raw_path.decode("ascii")
        made.append(Arrival(number, due, "GET", target, in_text(request.headers.raw), b""))
    return tuple(made)


def order(url: str, moments: Sequence[float], patience: timedelta = seconds(10)) -> Order:
    """These for the peer there."""
    place = httpx.URL(url)
    return Order(place.host, place.port or 80, patience.total_seconds(), arrivals(url, moments))


def of_this(mark: str) -> list[psutil.Process]:
    """The processes that have this mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found
