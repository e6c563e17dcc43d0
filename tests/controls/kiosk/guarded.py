"""A counter behind a circuit breaker."""

import asyncio
from http import HTTPStatus
from typing import ClassVar, Final

import asyncpg

from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.pool import Pool
from tests.controls.kiosk.refusals import Refused, meaning

__all__ = ["FAILURES", "REST", "SLOW", "Guarded"]

FAILURES: Final = 5
"""Failures in a row that open the breaker."""

REST: Final = 0.2
"""Seconds that it is open before a trial."""

SLOW: Final = 0.4
"""Seconds after which a success counts as a failure."""


class Guarded(Counter):
    """Lists orders only while the database works. A subclass can replace each decision."""

    slow: ClassVar[float] = SLOW

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._failures = 0
        self._opened_at = 0.0
        self._trial = False

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders, unless the breaker is open."""
        loop = asyncio.get_running_loop()
        opened = self._failures >= FAILURES
        if opened and not self.allows_trial(loop.time() - self._opened_at):
            self.refuse()
        self._trial = opened
        begun = loop.time()
        try:
            found = await super().orders(until)
        except Exception as error:
            self.count(failed=self.blames_database(error))
            raise
        else:
            self.count(failed=loop.time() - begun > self.slow)
            return found
        finally:
            self.trial_ended()

    def allows_trial(self, rested: float) -> bool:
        """Whether an open breaker lets this request through."""
        return rested >= REST and not self._trial

    def refuse(self) -> None:
        """Refuse a request while the breaker is open."""
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The breaker is open.")

    def trial_ended(self) -> None:
        """Let the next request be the trial."""
        self._trial = False

    def count(self, *, failed: bool) -> None:
        """Count one outcome."""
        self._failures = self._failures + 1 if failed else 0
        if self._failures >= FAILURES:
            self._opened_at = asyncio.get_running_loop().time()

    def blames_database(self, error: Exception) -> bool:
        """Whether an error is the database's fault, and not the caller's."""
        if isinstance(error, asyncpg.DataError):
            return False
        refused = error if isinstance(error, Refused) else meaning(error)
        return refused is not None and refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR
