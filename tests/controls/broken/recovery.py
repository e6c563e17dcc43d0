"""The kiosk, slow to forget what happened."""

import asyncio
from http import HTTPStatus

import asyncpg
from starlette.applications import Starlette

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused
from tests.controls.kiosk.settings import RECOVERY, WORK

__all__ = ["cold_after_a_fault_and_offended", "rests_after_a_refusal"]

FOREVER = 3600.0


class RestsAfterARefusal(Pool):
    """A breaker that opens with the first refused connect, and rests for an hour."""

    async def open(self) -> None:
        """Begin without a grudge."""
        await super().open()
        self._rests_until = 0.0

    async def connection(self, until: float) -> Connection:
        """A connection, unless it rests."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._rests_until:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The database is left alone.")
        try:
            return await super().connection(until)
        except ConnectionRefusedError:
            self._rests_until = loop.time() + FOREVER
            raise


def rests_after_a_refusal() -> Starlette:
    """See `RestsAfterARefusal`."""
    return kiosk(pool=RestsAfterARefusal)


class OffendedByAnError(Counter):
    """After an error that nobody foresaw it lists nothing for longer than RTO."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._closed_until = 0.0

    async def orders(self, until: float) -> list[dict[str, object]]:
        """The last orders, unless it is offended."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._closed_until:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Closed for a while.")
        try:
            return await super().orders(until)
        except asyncpg.InsufficientPrivilegeError:
            self._closed_until = loop.time() + RECOVERY * 3
            raise


class ColdAfterAFault(Counter):
    """What it keeps in memory goes with a lost connection, and comes back slowly."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._cold_until = 0.0

    async def orders(self, until: float) -> list[dict[str, object]]:
        """The last orders, at first with a delay."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._cold_until:
            await asyncio.sleep(WORK * 0.75)
        try:
            return await super().orders(until)
        except DRIVER_ERRORS:
            self._cold_until = loop.time() + RECOVERY * 5
            raise


class ColdAfterAFaultAndOffended(ColdAfterAFault, OffendedByAnError):
    """Two defects that have nothing to do with each other."""


def cold_after_a_fault_and_offended() -> Starlette:
    """See `ColdAfterAFault` and `OffendedByAnError`."""
    return kiosk(counter=ColdAfterAFaultAndOffended)
