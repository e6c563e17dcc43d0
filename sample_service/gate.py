"""A bounded, fair queue in front of the pool."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sample_service.deadline import Deadline
from sample_service.problems import POOL_EXHAUSTED, Problem

__all__ = ["Gate"]


class Gate:
    """Lets as many in as there are connections; the others wait, first come first served.

    At most `queue` wait, none longer than `patience` seconds or its own deadline; whoever cannot
    wait is refused at once with 503. asyncpg's own queue has no bound, and is not fair: a caller
    that comes at the right moment overtakes those that wait (asyncpg#1247).
    """

    def __init__(self, slots: int, queue: int, patience: float) -> None:
        self._free = asyncio.Semaphore(slots)
        self._slots = slots
        self._taken = 0
        self._queue = queue
        self._patience = patience
        self._waiting = 0

    @property
    def free(self) -> int:
        """How many could enter now without waiting."""
        return self._slots - self._taken

    @asynccontextmanager
    async def slot(self, deadline: Deadline) -> AsyncIterator[None]:
        """Hold one slot; raises `Problem` (pool-exhausted) where there is none in time."""
        if self._free.locked():
            await self._wait(deadline)
        else:
            await self._free.acquire()
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
            self._free.release()

    async def _wait(self, deadline: Deadline) -> None:
        if self._waiting >= self._queue:
            raise Problem(POOL_EXHAUSTED, "Too many requests are waiting already.")
        self._waiting += 1
        try:
            async with asyncio.timeout(min(self._patience, deadline.left())):
                await self._free.acquire()
        except TimeoutError:
            raise Problem(POOL_EXHAUSTED, "No connection became free in time.") from None
        finally:
            self._waiting -= 1
