"""Delays a stop, so load balancers can notice that the service is not ready."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

__all__ = ["draining"]

log = structlog.get_logger()


@contextmanager
def draining(announce: Callable[[], None], delay: float) -> Iterator[None]:
    """While the block runs, SIGTERM first calls `announce`, and reaches the server `delay` seconds
    later. A second SIGTERM reaches it immediately.

    Uvicorn closes its listening sockets as soon as it is told to stop, so without this a load
    balancer would learn of the stop from refused connections.
    """
    loop = asyncio.get_running_loop()
    server = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, server)
        announce()
        log.info("draining", seconds=delay)
        if callable(server):
            loop.call_soon_threadsafe(loop.call_later, delay, server, number, frame)

    if not callable(server):  # no server to pass it on to, as under a test client
        yield
        return
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, server)
