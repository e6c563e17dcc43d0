"""The kiosk with missing or ineffective time-outs."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

from starlette.applications import Starlette

from tests.controls.broken.bundle import bundle
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import LIST, Counter
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.settings import DEADLINE, WORK

__all__ = [
    "asyncio_timeout",
    "late_failures_bundle",
    "missing_timeouts_bundle",
    "no_timeouts",
    "query_timeout_of_the_driver",
    "timeout_for_each_step",
]


class NoTimeouts(Pool):
    """Keeps a connection until the database answers."""

    settings: ClassVar[dict[str, str]] = {}

    async def connection(self, until: float) -> Connection:
        """Acquire a connection; without a time-out here, asyncpg's release has none either."""
        return await self._connections.acquire()

    @asynccontextmanager
    async def clock(self, connection: Connection, until: float) -> AsyncIterator[None]:
        """Run the block without a time-out."""
        yield


def no_timeouts() -> Starlette:
    """Create the kiosk with `NoTimeouts`."""
    return kiosk(pool=NoTimeouts)


class QueryTimeoutOfTheDriver(Counter):
    """Uses only asyncpg's time-out: it cancels the query, and the release waits for the server to
    confirm that."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders, with a time-out of `WORK` seconds."""
        async with self.pool.lease(until) as connection:
            return [dict(row) for row in await connection.fetch(LIST, timeout=WORK)]


def query_timeout_of_the_driver() -> Starlette:
    """Create the kiosk with `QueryTimeoutOfTheDriver`."""
    return kiosk(pool=NoTimeouts, counter=QueryTimeoutOfTheDriver)


class AsyncioTimeout(NoTimeouts):
    """Wraps the lease in `asyncio.timeout`, at whose end the release still waits for the server to
    confirm the cancel."""

    @asynccontextmanager
    async def lease(self, until: float) -> AsyncIterator[Connection]:
        """Lease a connection, nominally until the deadline."""
        async with asyncio.timeout_at(until), super().lease(until) as connection:
            yield connection


def asyncio_timeout() -> Starlette:
    """Create the kiosk with `AsyncioTimeout`."""
    return kiosk(pool=AsyncioTimeout)


class ConnectTimeoutOfTheDriver(Pool):
    """Opens connections with asyncpg's default time-out, 60 s."""

    async def connection(self, until: float) -> Connection:
        """Acquire a connection of the pool."""
        return await self._connections.acquire()


class CommitWithoutTimeout(Counter):
    """Runs COMMIT without a time-out."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        async with self.pool.place(until):
            connection = await self.pool.connection(until)
            try:
                async with self.pool.clock(connection, until):
                    transaction = connection.transaction()
                    await transaction.start()
                    number = await self.work(connection, customer, key)
                await self.commit(transaction)
            finally:
                await self.pool.give_back(connection)
            return number


def missing_timeouts_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(pool=ConnectTimeoutOfTheDriver, counter=CommitWithoutTimeout)


class TimeoutForEachStep(Pool):
    """Waiting for a place, connecting and querying each have their own time-out."""

    @asynccontextmanager
    async def place(self, until: float) -> AsyncIterator[None]:
        """Wait for a place in the pool, for as long as a request may take."""
        async with asyncio.timeout(DEADLINE):
            await self._places.acquire()
        try:
            yield
        finally:
            self._places.release()

    async def connection(self, until: float) -> Connection:
        """Acquire a connection, which may take as long again."""
        return await self._connections.acquire(timeout=DEADLINE)

    @asynccontextmanager
    async def clock(self, connection: Connection, until: float) -> AsyncIterator[None]:
        """Allow the work nearly as long again: less, or a waiting request would give up just when
        this one frees its place."""
        until = asyncio.get_running_loop().time() + DEADLINE * 0.8
        async with super().clock(connection, until):
            yield


def timeout_for_each_step() -> Starlette:
    """Create the kiosk with `TimeoutForEachStep`."""
    return kiosk(pool=TimeoutForEachStep)


class TimeoutForEachStatement(Pool):
    """Restarts the time-out whenever the database has answered. It is shorter than D: one silent
    statement, which T1 judges, ends in time also on a busy machine."""

    @asynccontextmanager
    async def clock(self, connection: Connection, until: float) -> AsyncIterator[None]:
        """Terminate the connection when one statement takes too long."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(DEADLINE * 0.8, connection.terminate)

        def again(_: object) -> None:
            nonlocal timer
            timer.cancel()
            timer = loop.call_later(DEADLINE * 0.8, connection.terminate)

        try:
            with connection.query_logger(again):
                yield
        finally:
            timer.cancel()


class RetriesUntilTheDeadline(Pool):
    """Retries a refused connect until most of the deadline has passed."""

    async def connection(self, until: float) -> Connection:
        """Acquire a connection of the pool."""
        until += DEADLINE * 0.8 - WORK
        while True:
            try:
                return await super().connection(until)
            except ConnectionRefusedError:
                if asyncio.get_running_loop().time() + 0.05 >= until:
                    raise
                await asyncio.sleep(0.05)


def late_failures_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(pool=bundle(RetriesUntilTheDeadline, TimeoutForEachStatement))
