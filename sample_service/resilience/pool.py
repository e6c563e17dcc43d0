"""asyncpg's pool, on which nothing waits beyond its request's deadline.

asyncpg's own time-outs cancel a query, and wait for the server to confirm that. A server that
accepts and never answers then holds the request and its place in the pool for ever. So the
deadline *terminates* the connection: the waiting query fails at once and the place is free.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from sample_service.problems import DATABASE_UNAVAILABLE, DEADLINE_EXCEEDED, Problem
from sample_service.resilience.circuit import Circuit
from sample_service.resilience.deadline import Deadline
from sample_service.resilience.failures import DRIVER_ERRORS, ConnectionLost, sqlstate_of
from sample_service.resilience.gate import Gate
from sample_service.settings import Settings

__all__ = ["Connection", "Pool", "Session", "is_open", "session_settings"]

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"


def session_settings(settings: Settings) -> dict[str, str]:
    """What every session asks of the server, sent with the start-up packet: no round trip.

    A connection that we give up ends only our side; these end the server's.
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
    """Reset nothing: no unit changes its session's state, and a reset costs a round trip."""


class Pool:
    """At most `pool_size` connections, leased until a deadline."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.gate = Gate(slots=settings.pool_size, queue=settings.pool_queue)
        self._connections: asyncpg.Pool[asyncpg.Record]

    async def open(self) -> None:
        """Make the pool; connects to nothing yet, so it needs no database."""
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
        """End every connection at once: nobody is left who waits, and a database that does not
        answer cannot hold up the stop."""
        self._connections.terminate()

    @property
    def size(self) -> int:
        """How many connections are open."""
        return self._connections.get_size()

    async def warm(self) -> None:
        """Open what connections are missing, so that nobody has to wait for it later.

        Call it when the database is known to answer; it takes only places that are free. asyncpg
        hands out open connections first, so all free places are asked for at once: those that have
        one are back a moment later.
        """
        if self.size < self._settings.pool_size:
            until = Deadline.after(self._settings.connect_timeout)
            await asyncio.gather(*(self._touch(until) for _ in range(self.gate.free)))

    async def _touch(self, until: Deadline) -> None:
        with suppress(Problem):  # then it stays closed until the next call, or a request needs it
            async with self.gate.slot(until), self._connected(until):
                pass

    @asynccontextmanager
    async def lease(self, deadline: Deadline, circuit: Circuit) -> AsyncIterator[Connection]:
        """A connection until the block ends, or the deadline: then it is terminated under the
        block's hands, and whatever waits for it fails. Raises `Problem` where there is none, and
        where too little time is left: a connection would be lost, and nothing won."""
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
            if not is_open(connection):
                raise ConnectionLost from error
            raise
        except asyncio.CancelledError:
            connection.terminate()  # or the release would wait for a cancel to be confirmed
            raise
        finally:
            end.cancel()
            await self._give_back(connection)

    async def _give_back(self, connection: Connection) -> None:
        try:
            await self._connections.release(connection)
        except asyncpg.InternalClientError:
            # asyncpg takes back what the server has ended by itself, and then takes ours amiss.
            if is_open(connection):
                raise

    async def _acquire(self, deadline: Deadline) -> Connection:
        try:
            async with asyncio.timeout(deadline.left()):  # asyncpg's own would cost a task
                return await self._connections.acquire()
        except TimeoutError as error:
            raise Problem(DATABASE_UNAVAILABLE, "No connection could be opened in time.") from error
        except DRIVER_ERRORS as error:  # whatever stands in the way of a connection
            raise Problem(
                DATABASE_UNAVAILABLE, "No connection could be opened.", sqlstate=sqlstate_of(error)
            ) from error


def is_open(connection: Connection) -> bool:
    """Whether something can still be sent on it."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # given up already, and taken out of its proxy
        return False
