"""The kiosk, which comes back badly from what is more than one short outage."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

import asyncpg
from starlette.applications import Starlette

from tests.controls.broken.bundle import bundle
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import LIST, Counter
from tests.controls.kiosk.pool import SESSION, Connection, Pool, Session
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused
from tests.controls.kiosk.settings import RECOVERY

__all__ = ["new_pool_after_a_switchover", "pinned_bundle", "reconnecting_bundle"]

SEVERAL = 3
LATELY = 30.0


class ConnectsWithoutAPause(Pool):
    """After a refused start-up, tries to connect again without a pause until it succeeds."""

    async def open(self) -> None:
        """Create the pool, with no attempt under way."""
        await super().open()
        self._trying: asyncio.Task[None] | None = None

    async def connection(self, until: float) -> Connection:
        """Acquire a connection, and begin to try where the server is starting up."""
        try:
            return await super().connection(until)
        except asyncpg.CannotConnectNowError:
            if self._trying is None or self._trying.done():
                self._trying = asyncio.create_task(self._try())
            raise

    async def _try(self) -> None:
        while True:
            with suppress(*DRIVER_ERRORS):
                connection = await asyncpg.connect(self._dsn)
                connection.terminate()
                return


class RestsAfterSeveralOutages(Pool):
    """A breaker that opens for longer than RTO at the third outage within half a minute."""

    async def open(self) -> None:
        """Create the pool with a closed breaker."""
        await super().open()
        self._rests_until = 0.0
        self._outages: list[float] = []
        self._gone = False

    async def connection(self, until: float) -> Connection:
        """Acquire a connection, unless the breaker is open."""
        now = asyncio.get_running_loop().time()
        if now < self._rests_until:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The breaker is open.")
        try:
            connection = await super().connection(until)
        except ConnectionRefusedError:
            if not self._gone:
                self._gone = True
                self._outages = [one for one in self._outages if now - one < LATELY] + [now]
                if len(self._outages) >= SEVERAL:
                    self._rests_until = now + RECOVERY * 3
                    self._outages.clear()
            raise
        self._gone = False
        return connection


def reconnecting_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(pool=bundle(ConnectsWithoutAPause, RestsAfterSeveralOutages))


class KeepsSilentConnections(Counter):
    """Reads one after the other on a connection of its own, which it replaces only when that was
    closed."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._own: Session | None = None
        self._turn = asyncio.Lock()

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders; at the deadline only the caller goes."""
        async with asyncio.timeout_at(until), self._turn:
            if self._own is None or self._own.is_closed():
                self._own = await asyncpg.connect(
                    os.environ["DATABASE_URL"], server_settings=SESSION
                )
            rows = await asyncio.shield(self._own.fetch(LIST))
        return [dict(row) for row in rows]


class StaysOnTheOldPrimary(Pool):
    """Gives back a connection whose server only reads."""

    lost_by = ()


def pinned_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(pool=StaysOnTheOldPrimary, counter=KeepsSilentConnections)


class NewPoolAfterASwitchover(Pool):
    """Makes a new pool when it learns that its server only reads, and forgets the old one."""

    lost_by = ()

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._lent_by: dict[Connection, asyncpg.Pool[asyncpg.Record]] = {}

    async def connection(self, until: float) -> Connection:
        """Acquire a connection of the pool that is used now."""
        pool = self._connections
        connection = await super().connection(until)
        self._lent_by[connection] = pool
        return connection

    @asynccontextmanager
    async def clock(self, connection: Connection, until: float) -> AsyncIterator[None]:
        """Replace the pool of a connection whose server only reads."""
        try:
            async with super().clock(connection, until):
                yield
        except asyncpg.ReadOnlySQLTransactionError:
            if self._lent_by[connection] is self._connections:
                self._connections = await asyncpg.create_pool(
                    self._dsn, min_size=self.size, max_size=self.size, server_settings=SESSION
                )
            raise

    async def give_back(self, connection: Connection) -> None:
        """Return the connection to the pool that it is from."""
        await self._lent_by.pop(connection).release(connection)  # type: ignore[arg-type]


def new_pool_after_a_switchover() -> Starlette:
    """Create the kiosk with `NewPoolAfterASwitchover`."""
    return kiosk(pool=NewPoolAfterASwitchover)
