"""asyncpg's pool, with waits that end at the request's deadline.

asyncpg's own time-outs cancel a query and wait for the server to confirm that. A server that
accepts and never answers then holds the request and its place in the pool for ever. So the
deadline *terminates* the connection: the query fails immediately and the place is free.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from sample_service.problems import DATABASE_UNAVAILABLE, DEADLINE_EXCEEDED, Problem
from sample_service.resilience.circuit import Circuit
from sample_service.resilience.deadline import Deadline
from sample_service.resilience.failures import DRIVER_ERRORS, ConnectionLost, sqlstate_of
from sample_service.resilience.gate import Gate
from sample_service.settings import Settings

__all__ = ["Connection", "Pool", "Session", "is_open", "session_settings"]

READ_ONLY: Final = "25006"
"""The session is on a server that was demoted: after a switchover the pool has to leave it."""

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"


def session_settings(settings: Settings) -> dict[str, str]:
    """Return the session's parameters, sent in the start-up packet and so without a round trip.

    Terminating a connection ends only the client's side; these settings end the server's.
    """
    work = f"{settings.time_to_work() * 1000:.0f}ms"
    asked = {
        "application_name": "shop",
        "statement_timeout": work,
        "idle_in_transaction_session_timeout": work,
    }
    if settings.client_check_interval:
        asked["client_connection_check_interval"] = f"{settings.client_check_interval * 1000:.0f}ms"
    return asked


async def _nothing(_: Session) -> None:
    """Reset nothing: no unit of work changes its session, and a reset costs a round trip."""


class Pool:
    """At most `pool_size` connections, leased until a deadline."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.gate = Gate(slots=settings.pool_size, queue=settings.pool_queue)
        self._connections: asyncpg.Pool[asyncpg.Record]

    async def open(self) -> None:
        """Create the pool without connecting, so the database need not be up."""
        self._connections = await asyncpg.create_pool(
            self._settings.database_url.get_secret_value(),
            min_size=0,
            max_size=self._settings.pool_size,
            max_inactive_connection_lifetime=self._settings.idle_lifetime,
            timeout=self._settings.connect_timeout,
            server_settings=session_settings(self._settings),
            reset=_nothing,
        )

    def close(self) -> None:
        """Terminate every connection: a database that does not answer cannot delay the stop."""
        self._connections.terminate()

    @property
    def size(self) -> int:
        """How many connections are open."""
        return self._connections.get_size()

    async def warm(self) -> None:
        """Open the missing connections, so no request has to wait for that later.

        Call it when the database is known to answer. asyncpg hands out open connections first, so
        this takes all free places at once; those with an open connection are free again directly.
        """
        if self.size < self._settings.pool_size:
            until = Deadline.after(self._settings.connect_timeout)
            await asyncio.gather(*(self._connect(until) for _ in range(self.gate.free)))

    async def _connect(self, until: Deadline) -> None:
        with suppress(Problem):  # the next call, or a request that needs it, tries again
            async with self.gate.slot(until), self._connected(until):
                pass

    @asynccontextmanager
    async def lease(self, deadline: Deadline, circuit: Circuit) -> AsyncIterator[Connection]:
        """Lease a connection until the block ends. At the deadline it is terminated, and a query on
        it fails. Raises `Problem` if no connection is available, and if too little time is left,
        because the attempt would only cost a connection."""
        if deadline.is_over():
            raise Problem(DEADLINE_EXCEEDED, "Too little time was left to ask the database.")
        patience = deadline.within(self._settings.pool_patience)
        await circuit.gate.enter(patience)
        try:
            await self.gate.enter(patience)
            try:
                with circuit.breaker.guard(deadline):
                    async with self._connected(deadline) as connection:
                        yield connection
            finally:
                self.gate.leave()
        finally:
            circuit.gate.leave()

    @asynccontextmanager
    async def _connected(self, deadline: Deadline) -> AsyncIterator[Connection]:
        connection = await self._acquire(deadline)
        late = False

        def give_up() -> None:
            nonlocal late
            late = True
            connection.terminate()

        end = asyncio.get_running_loop().call_later(deadline.left(), give_up)
        try:
            yield connection
        except DRIVER_ERRORS as error:
            if late:
                raise TimeoutError from error
            if isinstance(error, asyncpg.InternalClientError):
                connection.terminate()
            if sqlstate_of(error) == READ_ONLY:
                await self._connections.expire_connections()  # the others are there too
                connection.terminate()
            if not is_open(connection):
                raise ConnectionLost from error
            raise
        except asyncio.CancelledError:
            connection.terminate()  # or the release would wait for the server to confirm a cancel
            raise
        finally:
            end.cancel()
            await self._give_back(connection)

    async def _give_back(self, connection: Connection) -> None:
        try:
            await self._connections.release(connection)
        except asyncpg.InternalClientError:
            # asyncpg has already released a connection that the server ended, and rejects this.
            if is_open(connection):
                raise

    async def _acquire(self, deadline: Deadline) -> Connection:
        try:
            async with asyncio.timeout(deadline.left()):  # asyncpg's own time-out costs a task
                return await self._connections.acquire()
        except TimeoutError as error:
            raise Problem(DATABASE_UNAVAILABLE, "No connection could be opened in time.") from error
        except DRIVER_ERRORS as error:
            raise Problem(
                DATABASE_UNAVAILABLE, "No connection could be opened.", sqlstate=sqlstate_of(error)
            ) from error


def is_open(connection: Connection) -> bool:
    """Whether the connection can still be used."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # terminated, and detached from its proxy
        return False
