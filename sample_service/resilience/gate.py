"""Bounded, fair queues in front of what there is little of."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sample_service.problems import OVERLOADED, POOL_EXHAUSTED, Problem, ProblemType
from sample_service.resilience.deadline import Deadline

__all__ = ["Gate"]


class Gate:
    """Lets `slots` in at once; at most `queue` wait, and enter in the order in which they came.

    Whoever cannot even wait is refused at once. A slot passes from hand to hand: with asyncpg's own
    queue a caller that comes at the right moment overtakes those that wait (asyncpg#1247), and any
    number may wait for ever. Entering a gate that is free costs a comparison.
    """

    def __init__(self, *, slots: int, queue: int, exhausted: ProblemType = POOL_EXHAUSTED) -> None:
        self._exhausted = exhausted
        self._slots = slots
        self._queue = queue
        self._line: deque[asyncio.Future[None]] = deque()
        self.taken = 0

    @property
    def free(self) -> int:
        """How many could enter now without waiting."""
        return self._slots - self.taken

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._line)

    @asynccontextmanager
    async def slot(self, until: Deadline) -> AsyncIterator[None]:
        """Hold one slot while the block runs; raises as `enter`."""
        await self.enter(until)
        try:
            yield
        finally:
            self.leave()

    async def enter(self, until: Deadline) -> None:
        """Take a slot; `leave` gives it back. Raises `Problem`: overloaded where too many wait
        already, `exhausted` where none became free in time."""
        if self.taken < self._slots:
            self.taken += 1
            return
        if len(self._line) >= self._queue:
            raise Problem(OVERLOADED, "Too many requests are waiting already.")
        turn = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            async with asyncio.timeout(until.left()):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.leave()  # it was our turn at the very moment we gave up
            elif turn in self._line:  # else who left at that moment has passed it over already
                self._line.remove(turn)
            if isinstance(error, TimeoutError):
                raise Problem(self._exhausted, "Nothing became free in time.") from None
            raise

    def leave(self) -> None:
        """Give the slot to who waits longest, or back."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.taken -= 1
