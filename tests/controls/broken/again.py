"""The kiosk, which tries again, rests or waits without an end in some situations."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

import asyncio
from http import HTTPStatus

import asyncpg
from starlette.applications import Starlette

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.refusals import Refused
from tests.controls.kiosk.settings import DEADLINE

__all__ = [
    "locked_writes",
    "pause_that_doubles",
    "tries_until_it_has_a_slot",
    "tries_until_the_server_is_up",
]


class TriesUntilConnected(Pool):
    """Connects again and again while the server says that it cannot be used yet."""

    awaited: tuple[type[Exception], ...] = ()

    async def connection(self, until: float) -> Connection:
        """Acquire a connection, however many connects that takes."""
        while True:
            try:
                return await super().connection(asyncio.get_running_loop().time() + DEADLINE)
            except self.awaited:
                await asyncio.sleep(0.1)


class TriesUntilUp(TriesUntilConnected):
    """Waits until the server has started up."""

    awaited = (asyncpg.CannotConnectNowError,)


def tries_until_the_server_is_up() -> Starlette:
    """Create the kiosk with `TriesUntilUp`."""
    return kiosk(pool=TriesUntilUp)


class TriesUntilASlot(TriesUntilConnected):
    """Waits until the server has a slot."""

    awaited = (asyncpg.TooManyConnectionsError,)


def tries_until_it_has_a_slot() -> Starlette:
    """Create the kiosk with `TriesUntilASlot`."""
    return kiosk(pool=TriesUntilASlot)


FIRST_REST = 0.36
"""Of rests of 0.36, 0.72 … s the fifth goes from 5.4 to 11.2 s: an outage of three times RTO, 6 s,
ends at its beginning, and the service rests on for longer than RTO."""


class PauseThatDoubles(Pool):
    """Rests after a refused connect, each time twice as long as the time before."""

    async def open(self) -> None:
        """Create the pool, rested."""
        await super().open()
        self._pause = FIRST_REST / 2
        self._rests_until = 0.0

    async def connection(self, until: float) -> Connection:
        """Acquire a connection, unless it rests."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._rests_until:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Resting.")
        try:
            connection = await super().connection(until)
        except ConnectionRefusedError:
            if loop.time() >= self._rests_until:  # of several refused at once the first
                self._pause *= 2
                self._rests_until = loop.time() + self._pause
            raise
        self._pause = FIRST_REST / 2
        return connection


def pause_that_doubles() -> Starlette:
    """Create the kiosk with `PauseThatDoubles`."""
    return kiosk(pool=PauseThatDoubles)


class LockedWrites(Counter):
    """Holds a lock around all writes."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._lock = asyncio.Lock()

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, for one caller at a time."""
        async with self._lock:
            return await super().place(until, customer, key)


def locked_writes() -> Starlette:
    """Create the kiosk with `LockedWrites`."""
    return kiosk(counter=LockedWrites)
