"""The kiosk's pool, which is bounded and whose waits end at the deadline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import ClassVar, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused
from tests.controls.kiosk.settings import PATIENCE, POOL, QUEUE, WORK

__all__ = ["SESSION", "Connection", "OwnPool", "Pool", "Session"]

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connection: TypeAlias = "Session | PoolConnectionProxy[asyncpg.Record]"

SESSION = {
    "statement_timeout": f"{WORK * 1000:.0f}",
    "idle_in_transaction_session_timeout": f"{WORK * 1000:.0f}",
    "client_connection_check_interval": "100",
}
"""The settings that end the server's side of a terminated connection, in milliseconds."""


async def _nothing(_: Session) -> None:
    """Reset nothing, because the kiosk does not change its sessions' state."""


class Pool:
    """At most `size` connections; a subclass can replace each step of a lease. Deadlines are
    moments on the event loop's clock."""

    size: ClassVar[int] = POOL
    settings: ClassVar[dict[str, str]] = SESSION
    lost_by: ClassVar[tuple[type[Exception], ...]] = (asyncpg.ReadOnlySQLTransactionError,)

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connections: asyncpg.Pool[asyncpg.Record]
        self._places = asyncio.Semaphore(self.size)
        self._waiting = 0

    async def open(self) -> None:
        """Create the pool without connecting."""
        self._connections = await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=self.size,
            server_settings=self.settings,
            reset=_nothing,
        )

    def close(self) -> None:
        """Terminate every connection."""
        self._connections.terminate()

    @asynccontextmanager
    async def lease(self, until: float) -> AsyncIterator[Connection]:
        """Lease a connection until the block ends; at the deadline it is terminated. Raises
        `Refused` if no connection is available, `TimeoutError` at the deadline."""
        async with self.place(until):
            connection = await self.connection(until)
            try:
                async with self.clock(connection, until):
                    yield connection
            finally:
                await self.give_back(connection)

    @asynccontextmanager
    async def place(self, until: float) -> AsyncIterator[None]:
        """Hold a place in the pool; the number of waiting requests and their wait are limited."""
        if self._places.locked() and self._waiting >= QUEUE:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Too many are waiting.")
        self._waiting += 1
        try:
            latest = min(until, asyncio.get_running_loop().time() + PATIENCE)
            async with asyncio.timeout_at(latest):
                await self._places.acquire()
        except TimeoutError:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The pool is full.") from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()

    async def connection(self, until: float) -> Connection:
        """Acquire a connection, opening one if necessary, by the deadline."""
        left = until - asyncio.get_running_loop().time()
        return await self._connections.acquire(timeout=max(0.001, left))

    @asynccontextmanager
    async def clock(self, connection: Connection, until: float) -> AsyncIterator[None]:
        """Terminate the connection at the deadline, since cancelling would wait for the server, and
        where its server was demoted."""
        late = False

        def give_up() -> None:
            nonlocal late
            late = True
            connection.terminate()

        timer = asyncio.get_running_loop().call_at(until, give_up)
        try:
            yield
        except asyncio.CancelledError:
            connection.terminate()
            raise
        except DRIVER_ERRORS as error:
            if late:
                raise TimeoutError from error
            if isinstance(error, self.lost_by):
                connection.terminate()
            raise
        finally:
            timer.cancel()

    async def give_back(self, connection: Connection) -> None:
        """Return the connection to the pool, which replaces it if it is dead."""
        assert isinstance(connection, PoolConnectionProxy)
        await self._connections.release(connection)


class OwnPool(Pool):
    """Keeps its connections itself; asyncpg's own pool would roll back what is open."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._free: list[Session] = []

    async def connection(self, until: float) -> Connection:  # noqa: ARG002
        """Take the connection that was given back last, or open one."""
        while self._free:
            free = self._free.pop()
            if not free.is_closed():
                return free
        return await asyncpg.connect(self._dsn, timeout=WORK)

    async def give_back(self, connection: Connection) -> None:
        """Keep the connection, unless it is dead."""
        if isinstance(connection, asyncpg.Connection) and not connection.is_closed():
            self._free.append(connection)

    def close(self) -> None:
        """Terminate every connection."""
        for connection in self._free:
            connection.terminate()
        super().close()
