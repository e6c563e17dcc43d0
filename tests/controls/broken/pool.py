"""The kiosk with a wrong pool, or wrong use of it."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from tests.controls.broken.bundle import bundle
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import LIST, Counter
from tests.controls.kiosk.front import Front
from tests.controls.kiosk.pool import SESSION, Connection, Pool, Session
from tests.controls.kiosk.probes import Probes
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused
from tests.controls.kiosk.settings import DEADLINE, MARGIN, POOL, PROBE, RECOVERY, WORK

__all__ = [
    "busy_with_itself_when_crowded",
    "connection_for_each_request",
    "endless_queue",
    "excess_as_an_error",
    "leftover_connections_bundle",
    "never_swept",
    "pool_limits_bundle",
    "pool_sweeper_bundle",
    "queue_without_an_end",
]


class ConnectionForEachRequest(Pool):
    """Opens a connection for each admitted request instead of pooling."""

    size = 4 * POOL

    @asynccontextmanager
    async def lease(self, until: float) -> AsyncIterator[Connection]:
        """Lease a new connection, with extra time for the round trips of opening it."""
        async with super().lease(until + MARGIN / 2) as connection:
            yield connection

    async def connection(self, until: float) -> Connection:
        """Open a connection."""
        left = until - asyncio.get_running_loop().time()
        return await asyncpg.connect(self._dsn, timeout=left, server_settings=SESSION)

    async def give_back(self, connection: Connection) -> None:
        """Close the connection."""
        connection.terminate()


def connection_for_each_request() -> Starlette:
    """Create the kiosk with `ConnectionForEachRequest`."""
    return kiosk(pool=ConnectionForEachRequest)


class UnlimitedPool(Pool):
    """A pool that grows to several times its declared size."""

    size = 4 * POOL


class EndlessQueue(Pool):
    """Waits for a full pool without a time-out, like asyncpg's `acquire()` by default."""

    @asynccontextmanager
    async def place(self, until: float) -> AsyncIterator[None]:
        """Wait for a place in the pool."""
        async with self._places:
            yield

    async def connection(self, until: float) -> Connection:
        """Acquire a connection within a new deadline."""
        return await super().connection(_new_deadline())

    @asynccontextmanager
    async def clock(self, connection: Connection, until: float) -> AsyncIterator[None]:
        """Run the block within a new deadline."""
        async with super().clock(connection, _new_deadline()):
            yield


def _new_deadline() -> float:
    return asyncio.get_running_loop().time() + DEADLINE


def endless_queue() -> Starlette:
    """Create the kiosk with `EndlessQueue`."""
    return kiosk(pool=EndlessQueue)


def queue_without_an_end() -> Starlette:
    """Create the kiosk with `EndlessQueue`."""
    return kiosk(pool=EndlessQueue)


class BusyWithItself(Pool):
    """Holds a connection for longer than D, for nothing, while more wait than it has places."""

    @asynccontextmanager
    async def lease(self, until: float) -> AsyncIterator[Connection]:
        """Lease a connection, and keep the request waiting where it is crowded."""
        crowded = self._waiting > POOL
        async with super().lease(until + 4 * DEADLINE * crowded) as connection:
            await asyncio.sleep(2.5 * DEADLINE * crowded)
            yield connection


def busy_with_itself_when_crowded() -> Starlette:
    """Create the kiosk with `BusyWithItself`."""
    return kiosk(pool=BusyWithItself)


class ExcessAsAnError(Front):
    """Answers a full queue, and a wait that was too long, like a bug of its own."""

    def problem(self, refused: Refused) -> Response:
        """Answer 500 instead of 503."""
        if refused.status is HTTPStatus.SERVICE_UNAVAILABLE:
            refused = Refused(HTTPStatus.INTERNAL_SERVER_ERROR, refused.detail)
        return super().problem(refused)


def excess_as_an_error() -> Starlette:
    """Create the kiosk with `ExcessAsAnError`."""
    return kiosk(front=ExcessAsAnError)


class HandMadePool(Pool):
    """A home-made pool: a queue of connections that are never reset."""

    async def open(self) -> None:
        """Start without a connection."""
        self._idle: deque[Connection] = deque()

    def close(self) -> None:
        """Terminate every connection."""
        for connection in self._idle:
            connection.terminate()

    async def connection(self, until: float) -> Connection:
        """Return an idle connection that is open, or a new one."""
        while self._idle:
            connection = self._idle.popleft()
            if not connection.is_closed():
                return connection
        return await self.connect()

    async def connect(self) -> Connection:
        """Open a connection."""
        return await asyncpg.connect(self._dsn, timeout=WORK, server_settings=self.settings)

    async def give_back(self, connection: Connection) -> None:
        """Keep the connection as it is."""
        self._idle.append(connection)


class TransactionLeftOpen(Counter):
    """Leaves a failed transaction open until the next request uses its connection."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        async with self.pool.lease(until) as connection:
            await connection.execute("ROLLBACK; BEGIN")
            number = await self.work(connection, customer, key)
            await connection.execute("COMMIT")
            return number

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders."""
        async with self.pool.lease(until) as connection:
            await connection.execute("ROLLBACK")
            return [dict(row) for row in await connection.fetch(LIST)]


class DeadUntilSwept(HandMadePool):
    """Hands out dead connections until the next sweep; live ones may be idle in a transaction for
    any time."""

    settings = {name: value for name, value in SESSION.items() if not name.startswith("idle")}  # noqa: RUF012

    async def open(self) -> None:
        """Open every connection, and start to sweep."""
        await super().open()
        self._alive: list[Connection] = []
        await self.sweep()
        self._sweeper = asyncio.create_task(self.keep_sweeping())

    def close(self) -> None:
        """Stop sweeping, and terminate every connection."""
        self._sweeper.cancel()
        super().close()

    async def connection(self, until: float) -> Connection:
        """Return the longest-idle connection, dead or alive."""
        if not self._idle:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The pool is being swept.")
        return self._idle.popleft()

    async def sweep(self) -> None:
        """Replace the dead connections."""
        for dead in [connection for connection in self._idle if connection.is_closed()]:
            self._idle.remove(dead)
        self._alive = [connection for connection in self._alive if not connection.is_closed()]
        while len(self._alive) < POOL:
            new = await self.connect()
            self._alive.append(new)
            self._idle.append(new)

    async def keep_sweeping(self) -> None:
        """Sweep half of RTO after a connection died, so the dead ones are met in any case."""
        while True:
            await asyncio.sleep(0.05)
            if not any(connection.is_closed() for connection in self._alive):
                continue
            await asyncio.sleep(RECOVERY / 2)
            try:
                await self.sweep()
            except DRIVER_ERRORS:
                continue  # the next sweep tries again


def pool_sweeper_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(pool=DeadUntilSwept, counter=TransactionLeftOpen)


class SweptForReads(DeadUntilSwept):
    """Swept periodically, and before every read."""

    async def open(self) -> None:
        """Create the lock for concurrent reads."""
        self._sweeping = asyncio.Lock()
        await super().open()

    async def sweep(self) -> None:
        """Replace the dead connections, one sweep at a time."""
        async with self._sweeping:
            await super().sweep()


class ConflictLeftOpen(Counter):
    """Leaves the transaction of a conflict open until the next request uses its connection."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders, after a sweep."""
        assert isinstance(self.pool, SweptForReads)
        await self.pool.sweep()
        async with self.pool.lease(until) as connection:
            await connection.execute("ROLLBACK")
            return [dict(row) for row in await connection.fetch(LIST)]

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        async with self.pool.lease(until) as connection:
            await connection.execute("ROLLBACK; BEGIN")
            try:
                number = await self.work(connection, customer, key)
            except asyncpg.UniqueViolationError:
                raise
            except asyncpg.PostgresError:
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")
            return number


class LeakingProbes(Probes):
    """Neither uses nor closes a connection that did not answer in time."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._leaked: list[Session] = []

    async def ask(self) -> bool:
        """Ask on the kept connection, or on a new one."""
        connection = self._connection or await asyncpg.connect(self._dsn, timeout=PROBE)
        self._connection = None
        self._leaked.append(connection)
        asked = asyncio.ensure_future(connection.fetchval("SELECT true"))
        done, _ = await asyncio.wait([asked], timeout=PROBE)
        if done:
            self._leaked.remove(connection)
            self._connection = connection
        return bool(done) and asked.result() is True


def leftover_connections_bundle() -> Starlette:
    """Create the kiosk with three independent defects."""
    return kiosk(pool=SweptForReads, counter=ConflictLeftOpen, probes=LeakingProbes)


class NeverSwept(DeadUntilSwept):
    """Never replaces a dead connection."""

    async def keep_sweeping(self) -> None:
        """Do nothing."""


def never_swept() -> Starlette:
    """Create the kiosk with `NeverSwept`."""
    return kiosk(pool=NeverSwept)


class FullServerAs500(Front):
    """Does not expect SQLSTATE 53300."""

    def problem(self, refused: Refused) -> Response:
        """Answer 500 to "too many connections"."""
        if refused.sqlstate == "53300":
            refused = Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "The error was logged.")
        return super().problem(refused)


class ConnectionForEveryRoute(Front):
    """Holds a connection during every request, needed or not."""

    async def quote(self, request: Request) -> Response:
        """Return the price of shipping."""
        async with self.counter.pool.lease(self.deadline(request)):
            return await super().quote(request)


def pool_limits_bundle() -> Starlette:
    """Create the kiosk with three independent defects."""
    return kiosk(pool=UnlimitedPool, front=bundle(FullServerAs500, ConnectionForEveryRoute))
