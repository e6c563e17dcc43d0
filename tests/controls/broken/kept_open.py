"""The kiosk, which keeps transactions open or connections to itself after some requests."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import asyncpg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.controls.broken.pool import HandMadePool
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import LIST, Counter
from tests.controls.kiosk.front import Front
from tests.controls.kiosk.pool import SESSION, Pool
from tests.controls.kiosk.refusals import Refused
from tests.controls.kiosk.settings import WORK

__all__ = [
    "leak_after_a_failed_commit",
    "leak_after_a_mistake",
    "leak_after_an_unusable_value",
    "transaction_open_after_a_mistake",
    "transaction_open_after_a_read",
    "transaction_open_after_a_stream",
]


class Unwatched(HandMadePool):
    """Leaves a transaction open for as long as the service does."""

    settings = {name: value for name, value in SESSION.items() if not name.startswith("idle")}  # noqa: RUF012


class TransactionOfAList(Counter):
    """Begins a transaction for its list and never ends it, like a driver without autocommit."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders."""
        async with self.pool.lease(until) as connection:
            await connection.execute("ROLLBACK; BEGIN")
            return [dict(row) for row in await connection.fetch(LIST)]

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order in a transaction of its own."""
        async with self.pool.lease(until) as connection:
            await connection.execute("ROLLBACK; BEGIN")
            try:
                number = await self.work(connection, customer, key)
            except (asyncpg.PostgresError, Refused):
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")
            return number


def transaction_open_after_a_read() -> Starlette:
    """Create the kiosk with `TransactionOfAList`."""
    return kiosk(pool=Unwatched, counter=TransactionOfAList)


class PlacedBeforeItIsRead(Front):
    """Begins the transaction of an order before it reads the order."""

    async def place(self, request: Request) -> Response:
        """Place an order."""
        pool, until = self.counter.pool, self.deadline(request)
        async with pool.lease(until) as connection:
            await connection.execute("ROLLBACK; BEGIN")
            try:
                customer = str((await request.json())["customer"])
            except (json.JSONDecodeError, KeyError, TypeError):
                raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY) from None
            key = request.headers.get("Idempotency-Key")
            try:
                number = await self.counter.work(connection, customer, key)
            except (asyncpg.PostgresError, Refused):
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")
        return JSONResponse({"id": number, "customer": customer}, HTTPStatus.CREATED)


class RolledBackFirst(Counter):
    """Ends whatever an earlier request has left open."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders."""
        async with self.pool.lease(until) as connection:
            await connection.execute("ROLLBACK")
            return [dict(row) for row in await connection.fetch(LIST)]


def transaction_open_after_a_mistake() -> Starlette:
    """Create the kiosk with `PlacedBeforeItIsRead`."""
    return kiosk(pool=Unwatched, counter=RolledBackFirst, front=PlacedBeforeItIsRead)


class ReadsAtTheEnd(Front):
    """Reads once more when a stream is over, after whatever ends a request's transaction."""

    async def events(self, orders: list[dict[str, object]]) -> AsyncIterator[str]:
        """Yield one event, and wait until the caller has gone."""
        try:
            async for event in super().events(orders):
                yield event
        finally:
            # Its own task would be cancelled with the stream.
            self._last = asyncio.create_task(self.read())

    async def read(self) -> None:
        """Read in a transaction, and leave it open."""
        async with self.counter.pool.lease(asyncio.get_running_loop().time() + WORK) as connection:
            await connection.execute("ROLLBACK; BEGIN")
            await connection.fetch(LIST)


def transaction_open_after_a_stream() -> Starlette:
    """Create the kiosk with `ReadsAtTheEnd`."""
    return kiosk(pool=Unwatched, counter=RolledBackFirst, front=ReadsAtTheEnd)


class LosesAPlace(Pool):
    """Never gives back the place of a request that ended with one of some errors."""

    losing: tuple[type[BaseException], ...] = ()

    async def open(self) -> None:
        """Create the pool with all of its places."""
        await super().open()
        self._lost: list[asyncio.Task[bool]] = []

    def lose(self) -> None:
        """Take a place for good."""
        self._lost.append(asyncio.create_task(self._places.acquire()))

    @asynccontextmanager
    async def place(self, until: float) -> AsyncIterator[None]:
        """Hold a place in the pool."""
        try:
            async with super().place(until):
                yield
        except self.losing:
            self.lose()
            raise


class LosesAPlaceForEachUnusableValue(LosesAPlace):
    """Does not expect that a value cannot be used."""

    losing = (asyncpg.DataError,)


def leak_after_an_unusable_value() -> Starlette:
    """Create the kiosk with `LosesAPlaceForEachUnusableValue`."""
    return kiosk(pool=LosesAPlaceForEachUnusableValue)


class LosesAPlaceForEachFailedCommit(LosesAPlace):
    """Does not expect that a COMMIT fails."""

    losing = (asyncpg.ForeignKeyViolationError,)


def leak_after_a_failed_commit() -> Starlette:
    """Create the kiosk with `LosesAPlaceForEachFailedCommit`."""
    return kiosk(pool=LosesAPlaceForEachFailedCommit)


class LeasedBeforeItIsRead(Front):
    """Takes a connection before it reads the order, and keeps it where the order is wrong."""

    async def place(self, request: Request) -> Response:
        """Place an order."""
        try:
            return await super().place(request)
        except HTTPException:
            assert isinstance(self.counter.pool, LosesAPlace)
            self.counter.pool.lose()
            raise


def leak_after_a_mistake() -> Starlette:
    """Create the kiosk with `LeasedBeforeItIsRead`."""
    return kiosk(pool=LosesAPlace, front=LeasedBeforeItIsRead)
