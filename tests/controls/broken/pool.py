"""The kiosk with another pool."""

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

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import LIST, Counter
from tests.controls.kiosk.front import Front
from tests.controls.kiosk.pool import SESSION, Connection, Pool, Session
from tests.controls.kiosk.probes import Probes
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused
from tests.controls.kiosk.settings import DEADLINE, MARGIN, POOL, PROBE, RECOVERY, WORK

__all__ = [
    "connection_for_each_request",
    "dead_until_swept_and_left_open",
    "endless_queue",
    "forgetful_and_swept_for_reads",
    "never_swept",
    "unlimited_and_full_and_every_route",
]


class ConnectionForEachRequest(Pool):
    """No pool; there are as many connections as requests that are let in."""

    size = 4 * POOL

    @asynccontextmanager
    async def lease(self, until: float) -> AsyncIterator[Connection]:
        """A new connection; with more time than usual, since it takes several round trips."""
        async with super().lease(until + MARGIN / 2) as connection:
            yield connection

    async def connection(self, until: float) -> Connection:
        """A new connection."""
        left = until - asyncio.get_running_loop().time()
        return await asyncpg.connect(self._dsn, timeout=left, server_settings=SESSION)

    async def give_back(self, connection: Connection) -> None:
        """Away with it."""
        connection.terminate()


def connection_for_each_request() -> Starlette:
    """See `ConnectionForEachRequest`."""
    return kiosk(pool=ConnectionForEachRequest)


class UnlimitedPool(Pool):
    """A pool that grows with its callers, to many times what was declared."""

    size = 4 * POOL


class EndlessQueue(Pool):
    """Whoever finds the pool full waits, as asyncpg's `acquire()` does by default."""

    @asynccontextmanager
    async def place(self, until: float) -> AsyncIterator[None]:
        """A place in the pool, some day."""
        async with self._places:
            yield

    async def connection(self, until: float) -> Connection:
        """The time to work begins here."""
        return await super().connection(_anew())

    @asynccontextmanager
    async def clock(self, connection: Connection, until: float) -> AsyncIterator[None]:
        """And here."""
        async with super().clock(connection, _anew()):
            yield


def _anew() -> float:
    return asyncio.get_running_loop().time() + DEADLINE


def endless_queue() -> Starlette:
    """See `EndlessQueue`."""
    return kiosk(pool=EndlessQueue)


class HandMade(Pool):
    """A pool of its own making: a queue of connections that nobody resets."""

    async def open(self) -> None:
        """Begin without a connection."""
        self._idle: deque[Connection] = deque()

    def close(self) -> None:
        """End every connection."""
        for connection in self._idle:
            connection.terminate()

    async def connection(self, until: float) -> Connection:
        """One that is idle and alive, or a new one."""
        while self._idle:
            connection = self._idle.popleft()
            if not connection.is_closed():
                return connection
        return await self.connect()

    async def connect(self) -> Connection:
        """A new connection."""
        return await asyncpg.connect(self._dsn, timeout=WORK, server_settings=self.settings)

    async def give_back(self, connection: Connection) -> None:
        """For the next one, as it is."""
        self._idle.append(connection)


class TransactionLeftOpen(Counter):
    """A transaction that failed is ended by whoever uses its connection next."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        async with self.pool.lease(until) as connection:
            await connection.execute("ROLLBACK; BEGIN")
            number = await self.work(connection, customer, key)
            await connection.execute("COMMIT")
            return number

    async def orders(self, until: float) -> list[dict[str, object]]:
        """The last orders."""
        async with self.pool.lease(until) as connection:
            await connection.execute("ROLLBACK")
            return [dict(row) for row in await connection.fetch(LIST)]


class DeadUntilSwept(HandMade):
    """Dead connections are handed out again until a sweeper comes; what is alive may idle in a
    transaction for as long as it likes."""

    settings = {name: value for name, value in SESSION.items() if not name.startswith("idle")}  # noqa: RUF012

    async def open(self) -> None:
        """Open every connection, and keep an eye on them."""
        await super().open()
        self._alive: list[Connection] = []
        await self.sweep()
        self._sweeper = asyncio.create_task(self.keep_sweeping())

    def close(self) -> None:
        """End every connection."""
        self._sweeper.cancel()
        super().close()

    async def connection(self, until: float) -> Connection:
        """The connection that was idle for longest, dead or alive."""
        if not self._idle:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The pool is being swept.")
        return self._idle.popleft()

    async def sweep(self) -> None:
        """Replace the dead."""
        for dead in [connection for connection in self._idle if connection.is_closed()]:
            self._idle.remove(dead)
        self._alive = [connection for connection in self._alive if not connection.is_closed()]
        while len(self._alive) < POOL:
            new = await self.connect()
            self._alive.append(new)
            self._idle.append(new)

    async def keep_sweeping(self) -> None:
        """Sweep in time for RTO."""
        while True:
            await asyncio.sleep(RECOVERY / 2)
            try:
                await self.sweep()
            except DRIVER_ERRORS:
                continue  # the next sweep may be luckier


def dead_until_swept_and_left_open() -> Starlette:
    """See `DeadUntilSwept` and `TransactionLeftOpen`."""
    return kiosk(pool=DeadUntilSwept, counter=TransactionLeftOpen)


class SweptForReads(DeadUntilSwept):
    """Swept when there is time, and whenever a read asks for it."""

    async def open(self) -> None:
        """Two reads may ask at once."""
        self._sweeping = asyncio.Lock()
        await super().open()

    async def sweep(self) -> None:
        """Replace the dead, one sweep at a time."""
        async with self._sweeping:
            await super().sweep()


class ConflictLeftOpen(Counter):
    """A conflict is an answer and no error, so that nothing is rolled back; whoever uses the
    connection next does so."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """The last orders, over connections that are alive."""
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


class ForgetfulProbes(Probes):
    """A connection that did not answer in time is not used again, and not closed either."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._forgotten: list[Session] = []

    async def ask(self) -> bool:
        """Ask on the connection that is kept for it, or on a new one."""
        connection = self._connection or await asyncpg.connect(self._dsn, timeout=PROBE)
        self._connection = None
        self._forgotten.append(connection)
        asked = asyncio.ensure_future(connection.fetchval("SELECT true"))
        done, _ = await asyncio.wait([asked], timeout=PROBE)
        if done:
            self._forgotten.remove(connection)
            self._connection = connection
        return bool(done) and asked.result() is True


def forgetful_and_swept_for_reads() -> Starlette:
    """See `ForgetfulProbes`, `ConflictLeftOpen` and `SweptForReads`."""
    return kiosk(pool=SweptForReads, counter=ConflictLeftOpen, probes=ForgetfulProbes)


class NeverSwept(DeadUntilSwept):
    """What is dead stays dead."""

    async def keep_sweeping(self) -> None:
        """Not at all."""


def never_swept() -> Starlette:
    """See `NeverSwept`."""
    return kiosk(pool=NeverSwept)


class FullServerIsABug(Front):
    """53300 was not foreseen."""

    def problem(self, refused: Refused) -> Response:
        """500 for "too many connections"."""
        if refused.sqlstate == "53300":
            refused = Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "It was recorded.")
        return super().problem(refused)


class ConnectionForEveryRoute(Front):
    """Each request holds a connection, whether or not it has a question."""

    async def quote(self, request: Request) -> Response:
        """What sending costs."""
        async with self.counter.pool.lease(self.deadline()):
            return await super().quote(request)


class FullServerAndEveryRoute(FullServerIsABug, ConnectionForEveryRoute):
    """Two defects that have nothing to do with each other."""


def unlimited_and_full_and_every_route() -> Starlette:
    """See `UnlimitedPool`, `FullServerIsABug` and `ConnectionForEveryRoute`."""
    return kiosk(pool=UnlimitedPool, front=FullServerAndEveryRoute)
