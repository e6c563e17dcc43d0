"""The kiosk with a late recovery."""

import asyncio
from http import HTTPStatus

import asyncpg
from starlette.applications import Starlette

from tests.controls.broken.bundle import bundle
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused
from tests.controls.kiosk.settings import RECOVERY, WORK

__all__ = ["recovery_bundle", "rests_after_a_refusal"]

FOREVER = 3600.0


class RestsAfterARefusal(Pool):
    """A breaker that opens at the first refused connect, for an hour."""

    async def open(self) -> None:
        """Create the pool with a closed breaker."""
        await super().open()
        self._rests_until = 0.0

    async def connection(self, until: float) -> Connection:
        """Acquire a connection, unless the breaker is open."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._rests_until:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The breaker is open.")
        try:
            return await super().connection(until)
        except ConnectionRefusedError:
            self._rests_until = loop.time() + FOREVER
            raise


def rests_after_a_refusal() -> Starlette:
    """Create the kiosk with `RestsAfterARefusal`."""
    return kiosk(pool=RestsAfterARefusal)


class ClosedAfterAnError(Counter):
    """Refuses to list orders for longer than RTO after an unexpected error."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._closed_until = 0.0

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders, unless they are refused."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._closed_until:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Closed for a while.")
        try:
            return await super().orders(until)
        except asyncpg.InsufficientPrivilegeError:
            self._closed_until = loop.time() + RECOVERY * 3
            raise


class ColdAfterAFault(Counter):
    """Loses its cache with a connection, and is slow until the cache is warm."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._cold_until = 0.0

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders, with a delay while the cache is cold."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._cold_until:
            await asyncio.sleep(WORK * 0.75)
        try:
            return await super().orders(until)
        except DRIVER_ERRORS:
            self._cold_until = loop.time() + RECOVERY * 5
            raise


def recovery_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(counter=bundle(ColdAfterAFault, ClosedAfterAnError))
