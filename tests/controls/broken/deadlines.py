"""The kiosk with other time-outs on its way to the database."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

from starlette.applications import Starlette

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import LIST, Counter
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.settings import DEADLINE, WORK

__all__ = [
    "a_budget_for_each_step",
    "asyncio_timeout",
    "connect_timeout_of_the_driver_and_commit",
    "insists_and_a_budget_for_each_statement",
    "no_timeouts",
    "query_timeout_of_the_driver",
]


class NoTimeouts(Pool):
    """Whoever has a connection keeps it until the database answers."""

    settings: ClassVar[dict[str, str]] = {}

    async def connection(self, until: float) -> Connection:
        """A connection of the pool; asyncpg's release knows no time-out either then."""
        return await self._connections.acquire()

    @asynccontextmanager
    async def clock(self, connection: Connection, until: float) -> AsyncIterator[None]:
        """No clock."""
        yield


def no_timeouts() -> Starlette:
    """See `NoTimeouts`."""
    return kiosk(pool=NoTimeouts)


class QueryTimeoutOfTheDriver(Counter):
    """asyncpg's own: it cancels the query, and the release waits until that is confirmed."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """The last orders, meant to be there after `WORK` seconds."""
        async with self.pool.lease(until) as connection:
            return [dict(row) for row in await connection.fetch(LIST, timeout=WORK)]


def query_timeout_of_the_driver() -> Starlette:
    """See `QueryTimeoutOfTheDriver`."""
    return kiosk(pool=NoTimeouts, counter=QueryTimeoutOfTheDriver)


class AsyncioTimeout(NoTimeouts):
    """The whole lease inside of `asyncio.timeout`: its end still waits for the cancel."""

    @asynccontextmanager
    async def lease(self, until: float) -> AsyncIterator[Connection]:
        """A connection, meant to be there until the deadline."""
        async with asyncio.timeout_at(until), super().lease(until) as connection:
            yield connection


def asyncio_timeout() -> Starlette:
    """See `AsyncioTimeout`."""
    return kiosk(pool=AsyncioTimeout)


class ConnectTimeoutOfTheDriver(Pool):
    """Opening a connection may take the 60 s that are asyncpg's default."""

    async def connection(self, until: float) -> Connection:
        """A connection of the pool, whenever it is open."""
        return await self._connections.acquire()


class CommitWithoutAClock(Counter):
    """The clock is for the work; COMMIT is expected to be quick."""

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


def connect_timeout_of_the_driver_and_commit() -> Starlette:
    """See `ConnectTimeoutOfTheDriver` and `CommitWithoutAClock`."""
    return kiosk(pool=ConnectTimeoutOfTheDriver, counter=CommitWithoutAClock)


class ABudgetForEachStep(Pool):
    """Waiting for a place, connecting and querying have a time-out of their own each."""

    @asynccontextmanager
    async def place(self, until: float) -> AsyncIterator[None]:
        """A place in the pool, waited for as long as a request may take."""
        async with asyncio.timeout(DEADLINE):
            await self._places.acquire()
        try:
            yield
        finally:
            self._places.release()

    async def connection(self, until: float) -> Connection:
        """A connection, which may take as long again."""
        return await self._connections.acquire(timeout=DEADLINE)

    @asynccontextmanager
    async def clock(self, connection: Connection, until: float) -> AsyncIterator[None]:
        """And so may what is done with it, nearly: who waits must not give up just when a place is
        free."""
        until = asyncio.get_running_loop().time() + DEADLINE * 0.8
        async with super().clock(connection, until):
            yield


def a_budget_for_each_step() -> Starlette:
    """See `ABudgetForEachStep`."""
    return kiosk(pool=ABudgetForEachStep)


class ABudgetForEachStatement(Pool):
    """The clock starts anew whenever the database has answered."""

    @asynccontextmanager
    async def clock(self, connection: Connection, until: float) -> AsyncIterator[None]:
        """Terminate the connection when one statement takes too long."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(DEADLINE, connection.terminate)

        def again(_: object) -> None:
            nonlocal timer
            timer.cancel()
            timer = loop.call_later(DEADLINE, connection.terminate)

        try:
            with connection.query_logger(again):
                yield
        finally:
            timer.cancel()


class InsistsOnConnecting(Pool):
    """A refused connection is tried again until the time is over."""

    async def connection(self, until: float) -> Connection:
        """A connection of the pool, or the deadline."""
        while True:
            try:
                return await super().connection(until)
            except ConnectionRefusedError:
                if asyncio.get_running_loop().time() + 0.05 >= until:
                    raise
                await asyncio.sleep(0.05)


class InsistsAndABudgetForEachStatement(InsistsOnConnecting, ABudgetForEachStatement):
    """Two defects that have nothing to do with each other."""


def insists_and_a_budget_for_each_statement() -> Starlette:
    """See `InsistsOnConnecting` and `ABudgetForEachStatement`."""
    return kiosk(pool=InsistsAndABudgetForEachStatement)
