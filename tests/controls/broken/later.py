"""The kiosk, whose defect shows only at a second statement, after many failures, or for ever after
one."""

import asyncio
from http import HTTPStatus
from typing import Final

import asyncpg
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response

from tests.controls.broken.told import ToldOtherwise
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import LIST, Counter
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused

__all__ = ["breaker_after_a_hundred", "read_only_once_full", "text_when_it_cannot_count"]

COUNT: Final = "SELECT count(*) FROM orders"
FAILURES: Final = 100
"""Resilience4j's `minimumNumberOfCalls` by default."""

REST: Final = 1.0
"""Seconds, less than RTO."""


class NotCounted(Refused):
    """The orders were read, and could not be counted."""


class CountsForThePages(Counter):
    """Counts all orders by a second statement, whose errors it does not foresee."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders."""
        async with self.pool.lease(until) as connection:
            listed = [dict(row) for row in await connection.fetch(LIST)]
            try:
                await connection.fetchval(COUNT)
            except DRIVER_ERRORS as error:
                raise NotCounted(HTTPStatus.INTERNAL_SERVER_ERROR, "Not counted.") from error
            return listed


class TextWhenNotCounted(ToldOtherwise):
    """Has the framework's own text for what it does not foresee."""

    told = (NotCounted,)

    def otherwise(self) -> Response:
        """Return the text."""
        return PlainTextResponse("Internal Server Error", 500)


def text_when_it_cannot_count() -> Starlette:
    """Create the kiosk with `CountsForThePages` and `TextWhenNotCounted`."""
    return kiosk(counter=CountsForThePages, front=TextWhenNotCounted)


class BreakerAfterAHundred(Pool):
    """A breaker that opens after a hundred refused connects in a row, for which there is no
    handler."""

    async def open(self) -> None:
        """Create the pool with a closed breaker."""
        await super().open()
        self._failures = 0
        self._rests_until = 0.0

    async def connection(self, until: float) -> Connection:
        """Acquire a connection, unless the breaker is open."""
        loop = asyncio.get_running_loop()
        if self._failures >= FAILURES and loop.time() < self._rests_until:
            raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "The breaker is open.")
        try:
            connection = await super().connection(until)
        except ConnectionRefusedError:
            self._failures += 1
            self._rests_until = loop.time() + REST
            raise
        self._failures = 0
        return connection


def breaker_after_a_hundred() -> Starlette:
    """Create the kiosk with `BreakerAfterAHundred`."""
    return kiosk(pool=BreakerAfterAHundred)


class ReadOnlyOnceFull(Counter):
    """Places no order any more once the disk was full, until it is started again."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._full = False

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, unless the disk was full."""
        if self._full:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Orders are only listed.")
        try:
            return await super().place(until, customer, key)
        except asyncpg.DiskFullError:
            self._full = True
            raise


def read_only_once_full() -> Starlette:
    """Create the kiosk with `ReadOnlyOnceFull`."""
    return kiosk(counter=ReadOnlyOnceFull)
