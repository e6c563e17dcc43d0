"""A counter that tries again: whole transactions, a few times, within the deadline and a budget."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeVar

import asyncpg

from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.pool import Pool
from tests.controls.kiosk.refusals import DRIVER_ERRORS, LOST

__all__ = ["Retrying"]

Result = TypeVar("Result")

TRANSIENT = ("40", "57P", "08")
"""Prefixes of the SQLSTATEs after which the same transaction may succeed."""

ATTEMPTS = 3
RESERVE = 10.0
EARNED = 0.1


class Retrying(Counter):
    """Repeats what failed before COMMIT. A subclass can replace each decision."""

    attempts: ClassVar[int] = ATTEMPTS

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._saved = RESERVE

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders."""
        return await self.again(super().orders, until)

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""

        async def once(until: float) -> int:
            return await super(Retrying, self).place(until, customer, key)

        return await self.again(once, until)

    async def again(self, work: Callable[[float], Awaitable[Result]], until: float) -> Result:
        """Do the work until it succeeds, or there is no attempt, no time or no budget left."""
        self._saved = min(RESERVE, self._saved + EARNED)
        for attempt in range(1, self.attempts + 1):
            try:
                return await work(until)
            except DRIVER_ERRORS as error:
                self.failed(error)
                pause = self.pause(attempt)
                left = until - asyncio.get_running_loop().time()
                if attempt == self.attempts or not self.retryable(error):
                    raise
                if not self.in_time(pause, left) or not self.spend():
                    raise
            await asyncio.sleep(pause)
        raise AssertionError

    def failed(self, error: BaseException) -> None:
        """Hear of an attempt that failed."""

    def pause(self, attempt: int) -> float:
        """Return the seconds before the next attempt, which grow and differ."""
        longest: int = 2**attempt
        return 0.02 * longest * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret

    def in_time(self, pause: float, left: float) -> bool:
        """Whether another attempt can end in time."""
        return pause * 2 < left

    def spend(self) -> bool:
        """Take a retry from the budget, which successes and failures have earned."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True

    def retryable(self, error: BaseException) -> bool:
        """Whether the whole transaction may succeed if it is tried again."""
        state = error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
        if isinstance(error, TimeoutError):
            return False
        return isinstance(error, LOST) or (state or "").startswith(TRANSIENT)
