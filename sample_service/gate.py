"""Bounded, fair queues in front of what there is little of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sample_service.deadline import Deadline
from sample_service.problems import OVERLOADED, POOL_EXHAUSTED, Problem

__all__ = ["Gate"]


class Gate:
    """Lets `slots` in at once; at most `queue` wait, first come first served.

    Whoever cannot even wait is refused at once. asyncpg's own queue has no bound and is not fair: a
    caller that comes at the right moment overtakes those that wait (asyncpg#1247).
    """

    def __init__(self, *, slots: int, queue: int) -> None:
        self._free = asyncio.Semaphore(slots)
        self._slots = slots
        self._queue = queue
        self.taken = 0
        self.waiting = 0

    @property
    def free(self) -> int:
        """How many could enter now without waiting."""
        return self._slots - self.taken

    @asynccontextmanager
    async def slot(self, until: Deadline) -> AsyncIterator[None]:
        """Hold one slot. Raises `Problem`: overloaded where too many wait already, pool-exhausted
        where none became free in time."""
        if self._free.locked():
            await self._wait(until)
        else:
            await self._free.acquire()
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
            self._free.release()

    async def _wait(self, until: Deadline) -> None:
        if self.waiting >= self._queue:
            raise Problem(OVERLOADED, "Too many requests are waiting already.")
        self.waiting += 1
        try:
            async with asyncio.timeout(until.left()):
                await self._free.acquire()
        except TimeoutError:
            raise Problem(POOL_EXHAUSTED, "Nothing became free in time.") from None
        finally:
            self.waiting -= 1
