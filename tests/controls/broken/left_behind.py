"""The kiosk, which leaves queries and connections behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from http import HTTPStatus
from typing import ClassVar

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import FIND, Counter
from tests.controls.kiosk.front import Front
from tests.controls.kiosk.pool import OwnPool, Pool, Session
from tests.controls.kiosk.probes import Probes
from tests.controls.kiosk.refusals import Refused
from tests.controls.kiosk.settings import PROBE

__all__ = ["careless_bundle", "leaves_a_transaction", "left_behind_bundle"]


class NoServerTimeouts(Pool):
    """Ends its own side of a query at the deadline, and tells the server of no time-out."""

    settings: ClassVar[dict[str, str]] = {}


class ConnectsForAMinute(Probes):
    """Stops waiting for a connect, which goes on until the driver gives it up."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._connecting: asyncio.Task[Session] | None = None

    async def ask(self) -> bool:
        """Ask on the kept connection, or on the one that is being opened."""
        if self._connection is None:
            if self._connecting is None or self._connecting.done():
                self._connecting = asyncio.create_task(asyncpg.connect(self._dsn))
            self._connection = await asyncio.wait_for(asyncio.shield(self._connecting), PROBE)
            self._connecting = None
        return await super().ask()


def left_behind_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(pool=NoServerTimeouts, probes=ConnectsForAMinute)


class LosesAPlaceForEachConflict(Pool):
    """Never gives back the place of a request that ended with a conflict."""

    async def open(self) -> None:
        """Create the pool with all of its places."""
        await super().open()
        self._lost: list[asyncio.Task[bool]] = []

    @asynccontextmanager
    async def place(self, until: float) -> AsyncIterator[None]:
        """Hold a place in the pool."""
        try:
            async with super().place(until):
                yield
        except asyncpg.UniqueViolationError:
            self._lost.append(asyncio.create_task(self._places.acquire()))
            raise


class ConnectsForEachProbe(Probes):
    """Opens a connection for each probe, as many at once as there are probes."""

    async def reachable(self) -> bool:
        """Whether the database answers on a new connection."""
        try:
            connection = await asyncpg.connect(self._dsn, timeout=PROBE)
        except (OSError, asyncpg.PostgresError):
            return False
        try:
            return await connection.fetchval("SELECT true", timeout=PROBE) is True
        except (OSError, asyncpg.PostgresError):
            return False
        finally:
            connection.terminate()

    async def ready(self, request: Request) -> Response:
        """Answer whether the database answers, without waiting for another probe."""
        del request
        return self.answer(passes=await self.reachable())


def careless_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(pool=LosesAPlaceForEachConflict, probes=ConnectsForEachProbe)


CALLER: ContextVar[Request] = ContextVar("caller")


class FrontThatIsAsked(Front):
    """Lets the counter see who asks."""

    async def place(self, request: Request) -> Response:
        """Place an order."""
        CALLER.set(request)
        return await super().place(request)


class LeavesATransaction(Counter):
    """Begins a transaction, and drops it where it is if its caller has gone meanwhile: as a driver
    does that counts a transaction only once the server has answered BEGIN (sqlx 0.5)."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order by one statement."""
        async with self.pool.lease(until) as connection:
            await connection.fetchrow(FIND, key)
            if await CALLER.get().is_disconnected():
                await connection.execute("BEGIN")
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "There is no caller any more.")
            return await self.work(connection, customer, key)


def leaves_a_transaction() -> Starlette:
    """Create the kiosk with `LeavesATransaction`."""
    return kiosk(pool=OwnPool, counter=LeavesATransaction, front=FrontThatIsAsked)
