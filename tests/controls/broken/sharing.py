"""The kiosk, which shares its pool badly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Literal

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import LIST, Counter
from tests.controls.kiosk.pool import Pool
from tests.controls.kiosk.refusals import Refused
from tests.controls.kiosk.settings import PATIENCE, POOL, WORK

__all__ = ["one_pool_for_all", "plans_outlive_sessions", "sharing_bundle"]


class Bulkhead(Pool):
    """Orders leave one place of the pool to others; placing them, which uses one table more, leaves
    two to listing them."""

    listing = POOL - 2
    placing = 1
    patience = PATIENCE

    async def open(self) -> None:
        """Create the pool."""
        await super().open()
        self.lists = asyncio.Semaphore(self.listing)
        self.places = asyncio.Semaphore(self.placing)


class CounterWithAClock(Counter):
    """The counter, which also tells the database's time, and lists orders behind a bulkhead."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders."""
        async with self._among(self._shared.lists):
            return await super().orders(until)

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        async with self._among(self._shared.places):
            return await super().place(until, customer, key)

    async def time(self, until: float) -> str:
        """Return the database's time, which no table has."""
        async with self.pool.lease(until) as connection:
            return str(await connection.fetchval("SELECT now()"))

    @property
    def _shared(self) -> Bulkhead:
        assert isinstance(self.pool, Bulkhead)
        return self.pool

    @asynccontextmanager
    async def _among(self, few: asyncio.Semaphore) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._shared.patience):
                await few.acquire()
        except TimeoutError:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Too many orders wait.") from None
        try:
            yield
        finally:
            few.release()


class LastInFirstOut(Bulkhead):
    """Gives a place to the request that has waited for the shortest time, and lets the others wait
    until their time is over."""

    patience = WORK

    async def open(self) -> None:
        """Create the pool with an empty stack."""
        await super().open()
        self.lists = _Stack(self.listing)


class _Stack(asyncio.Semaphore):
    """A semaphore whose last waiter comes first."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self._free = value
        self._stack: list[asyncio.Future[None]] = []

    async def acquire(self) -> Literal[True]:
        """Take a place."""
        if self._free:
            self._free -= 1
            return True
        turn = asyncio.get_running_loop().create_future()
        self._stack.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            elif turn in self._stack:
                self._stack.remove(turn)
            raise
        return True

    def release(self) -> None:
        """Give it to the last one."""
        while self._stack:
            turn = self._stack.pop()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class PreparesOnce(CounterWithAClock):
    """Lists orders by a statement that each session has prepared once, by its name."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders."""
        async with self._among(self._shared.lists), self.pool.lease(until) as connection:
            known = await connection.fetchval(
                "SELECT count(*) FROM pg_prepared_statements WHERE name = 'listed'"
            )
            if not known:
                await connection.execute(f"PREPARE listed AS {LIST}")
            # The protocol's own statement would be prepared anew.
            await connection.execute("EXECUTE listed")
            return []


def sharing_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return _with_clock(pool=LastInFirstOut, counter=PreparesOnce)


class PlansOutliveSessions(CounterWithAClock):
    """Lists orders by a statement that is prepared once for each place of the pool: anew where its
    plan no longer fits (0A000), but not where the place has got a new session (26000)."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._prepared: set[int] = set()

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders."""
        async with self._among(self._shared.lists), self.pool.lease(until) as connection:
            assert isinstance(connection, PoolConnectionProxy)
            place = id(connection._holder)  # a place has no public name
            if place not in self._prepared:
                await connection.execute(f"PREPARE listed AS {LIST}")
                self._prepared.add(place)
            try:
                await connection.execute("EXECUTE listed")
            except asyncpg.FeatureNotSupportedError:
                await connection.execute(f"DEALLOCATE listed; PREPARE listed AS {LIST}")
                await connection.execute("EXECUTE listed")
            return []


def plans_outlive_sessions() -> Starlette:
    """Create the kiosk with `PlansOutliveSessions`."""
    return _with_clock(pool=Bulkhead, counter=PlansOutliveSessions)


class OnePoolForAll(Bulkhead):
    """Orders may hold every place."""

    listing = placing = 10 * POOL


def one_pool_for_all() -> Starlette:
    """Create the kiosk with `OnePoolForAll`."""
    return _with_clock(pool=OnePoolForAll, counter=CounterWithAClock)


def _with_clock(*, pool: type[Bulkhead], counter: type[CounterWithAClock]) -> Starlette:
    made: list[CounterWithAClock] = []

    def count(connections: Pool) -> CounterWithAClock:
        made.append(counter(connections))
        return made[-1]

    async def clock(_: Request) -> Response:
        until = asyncio.get_running_loop().time() + WORK
        return JSONResponse({"now": await made[0].time(until)})

    app = kiosk(pool=pool, counter=count)
    app.router.routes.append(Route("/clock", clock))
    return app
