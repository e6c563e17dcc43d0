"""The kiosk's way to PostgreSQL: a bounded pool on which nothing waits beyond its deadline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import ClassVar, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused
from tests.controls.kiosk.settings import PATIENCE, POOL, QUEUE, WORK

__all__ = ["SESSION", "Connection", "Pool", "Session"]

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connection: TypeAlias = "Session | PoolConnectionProxy[asyncpg.Record]"

SESSION = {
    "statement_timeout": f"{WORK * 1000:.0f}",
    "idle_in_transaction_session_timeout": f"{WORK * 1000:.0f}",
    "client_connection_check_interval": "100",
}
"""What ends the server's side of a connection that was given up, in milliseconds."""


async def _nothing(_: Session) -> None:
    """Reset nothing: the kiosk changes no session's state."""


class Pool:
    """At most `size` connections; each step of a lease can be replaced. Deadlines are moments of
    the event loop's clock."""

    size: ClassVar[int] = POOL
    settings: ClassVar[dict[str, str]] = SESSION

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connections: asyncpg.Pool[asyncpg.Record]
        self._places = asyncio.Semaphore(self.size)
        self._waiting = 0

    async def open(self) -> None:
        """Make the pool; connects to nothing yet."""
        self._connections = await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=self.size,
            server_settings=self.settings,
            reset=_nothing,
        )

    def close(self) -> None:
        """End every connection."""
        self._connections.terminate()

    @asynccontextmanager
    async def lease(self, until: float) -> AsyncIterator[Connection]:
        """A connection until the block ends, or the deadline: then it is terminated under the
        block's hands. Raises `Refused` where there is none, `TimeoutError` when it is over."""
        async with self.place(until):
            connection = await self.connection(until)
            try:
                async with self.clock(connection, until):
                    yield connection
            finally:
                await self.give_back(connection)

    @asynccontextmanager
    async def place(self, until: float) -> AsyncIterator[None]:
        """A place in the pool; waiting for it is bounded in number and in time."""
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
        """A connection of the pool, opened where need be, by the deadline."""
        left = until - asyncio.get_running_loop().time()
        return await self._connections.acquire(timeout=max(0.001, left))

    @asynccontextmanager
    async def clock(self, connection: Connection, until: float) -> AsyncIterator[None]:
        """Terminate the connection at the deadline: a cancel would wait for the server."""
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
            raise
        finally:
            timer.cancel()

    async def give_back(self, connection: Connection) -> None:
        """Return it to the pool, which replaces it where it is dead."""
        assert isinstance(connection, PoolConnectionProxy)
        await self._connections.release(connection)
