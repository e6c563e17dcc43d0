"""Bounded, fair queues in front of scarce resources."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sample_service.problems import OVERLOADED, POOL_EXHAUSTED, Problem, ProblemType
from sample_service.resilience.deadline import Deadline

__all__ = ["Gate"]


class Gate:
    """Admits `slots` tasks at a time; at most `queue` more wait, first come, first served.

    The next one is refused immediately. A slot passes directly from one task to the next: with
    asyncpg's own queue a caller with good timing overtakes the waiting ones (asyncpg#1247), and any
    number may wait for any time. Entering a free gate costs one comparison.
    """

    def __init__(self, *, slots: int, queue: int, exhausted: ProblemType = POOL_EXHAUSTED) -> None:
        self._exhausted = exhausted
        self._slots = slots
        self._queue = queue
        self._waiters: deque[asyncio.Future[None]] = deque()
        self.taken = 0

    @property
    def free(self) -> int:
        """How many tasks could enter now without waiting."""
        return self._slots - self.taken

    @property
    def waiting(self) -> int:
        """How many tasks wait."""
        return len(self._waiters)

    @asynccontextmanager
    async def slot(self, until: Deadline) -> AsyncIterator[None]:
        """Hold a slot while the block runs. Raises like `enter`."""
        await self.enter(until)
        try:
            yield
        finally:
            self.leave()

    async def enter(self, until: Deadline) -> None:
        """Take a slot; `leave` gives it back. Raises `Problem`: overloaded if the queue is full,
        `exhausted` if no slot became free in time."""
        if self.taken < self._slots:
            self.taken += 1
            return
        if len(self._waiters) >= self._queue:
            raise Problem(OVERLOADED, "Too many requests are already waiting.")
        turn = asyncio.get_running_loop().create_future()
        self._waiters.append(turn)
        try:
            async with asyncio.timeout(until.left()):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.leave()  # the slot arrived just as we gave up
            elif turn in self._waiters:  # else a concurrent `leave` has already skipped it
                self._waiters.remove(turn)
            if isinstance(error, TimeoutError):
                raise Problem(self._exhausted, "No slot became free in time.") from None
            raise

    def leave(self) -> None:
        """Pass the slot to the longest-waiting task, or free it."""
        while self._waiters:
            turn = self._waiters.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.taken -= 1
