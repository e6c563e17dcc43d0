"""The kiosk with keys, caches and retries that hold until a second fault meets them."""

import asyncio
from http import HTTPStatus
from typing import Final

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.chaos.broken import CONFLICTS, ORDER, RECEIPT
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import FIND, PLACE, Counter
from tests.controls.kiosk.front import Front
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused, Undetermined

__all__ = [
    "KEYS",
    "finds_orders",
    "forgets_the_key_after_a_conflict",
    "keeps_keys_unlogged",
    "looks_it_up_without_a_limit",
    "remembers_what_is_missing",
    "repeats_outside_a_transaction",
]

KEYS: Final = """
    CREATE UNLOGGED TABLE IF NOT EXISTS keys (key text PRIMARY KEY, order_id bigint NOT NULL)"""
"""Where `KeepsKeysUnlogged` keeps its keys."""

FIND_KEPT: Final = """
    SELECT id, customer FROM keys JOIN orders ON id = order_id WHERE keys.key = $1"""
KEEP: Final = "INSERT INTO keys VALUES ($1, $2)"
OF: Final = "SELECT id, customer FROM orders WHERE customer = $1"


class KeepsKeysUnlogged(Counter):
    """Keeps the keys in a table that is fast to write, and that a crash of the server empties."""

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Do the work of the transaction; return the order's number."""
        found = await connection.fetchrow(FIND_KEPT, key) if key else None
        if found is not None:
            return self.found(found["id"], found["customer"], customer)
        placed: int = await connection.fetchval(PLACE, customer, None)
        if key:
            await connection.execute(KEEP, key, placed)
        return placed


def keeps_keys_unlogged() -> Starlette:
    """Create the kiosk with `KeepsKeysUnlogged`."""
    return kiosk(counter=KeepsKeysUnlogged)


class ForgetsTheKeyAfterAConflict(Counter):
    """Tries again after a conflict without the key, "which is what conflicts", after a look whether
    the customer has an order."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._conflicted: set[str | None] = set()

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, once per key as long as nothing conflicts."""
        if key in self._conflicted:
            return await super().place(until, customer, None)
        try:
            return await super().place(until, customer, key)
        except CONFLICTS:
            self._conflicted.add(key)
        try:
            return await super().place(until, customer, None)
        except CONFLICTS:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Try again shortly.") from None

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Do the work of the transaction; return the order's number."""
        if key is None:
            found: int | None = await connection.fetchval(OF, customer)
            if found is not None:
                return found
            await asyncio.sleep(0.05)  # the second caller looks before the first has written
        return await super().work(connection, customer, key)


def forgets_the_key_after_a_conflict() -> Starlette:
    """Create the kiosk with `ForgetsTheKeyAfterAConflict`."""
    return kiosk(counter=ForgetsTheKeyAfterAConflict)


class RepeatsOutsideATransaction(Counter):
    """Tries again after a change of the schema, statement by statement: transactions "must not
    span" one."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        try:
            return await super().place(until, customer, key)
        except asyncpg.InvalidCachedStatementError:
            async with self.pool.lease(until) as connection:
                found = await connection.fetchrow(FIND, key) if key else None
                if found is not None:
                    return self.found(found["id"], found["customer"], customer)
                number: int = await connection.fetchval(ORDER, customer, key)
                await connection.execute(RECEIPT, number)
                return number


def repeats_outside_a_transaction() -> Starlette:
    """Create the kiosk with `RepeatsOutsideATransaction`."""
    return kiosk(counter=RepeatsOutsideATransaction)


class Unbounded(Pool):
    """Opens a connection beside its own where it is asked to."""

    async def beside(self) -> Connection:
        """Open a connection, however long it takes."""
        return await asyncpg.connect(self._dsn)


class LooksItUpWithoutALimit(Counter):
    """Looks up an order of unknown fate by its key, on a connection of its own and for as long as
    it takes."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        try:
            return await super().place(until, customer, key)
        except Undetermined as error:
            try:
                found = await self.placed(key)
            except DRIVER_ERRORS:
                raise error from None
            if found is None:
                raise
            return found

    async def placed(self, key: str | None) -> int | None:
        """Return the number of the order with this key."""
        assert isinstance(self.pool, Unbounded)
        connection = await self.pool.beside()
        try:
            number: int | None = await connection.fetchval(FIND, key)
            return number
        finally:
            connection.terminate()


def looks_it_up_without_a_limit() -> Starlette:
    """Create the kiosk with `LooksItUpWithoutALimit`."""
    return kiosk(counter=LooksItUpWithoutALimit, pool=Unbounded)


class ReadsApart(Pool):
    """Has one more connection, for reads."""

    size = 3

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.reads = OneConnection(dsn)

    async def open(self) -> None:
        """Create both pools without connecting."""
        await super().open()
        await self.reads.open()

    def close(self) -> None:
        """Terminate every connection."""
        super().close()
        self.reads.close()


class OneConnection(Pool):
    """The pool for reads."""

    size = 1


class Finds(Counter):
    """Finds the orders of a customer."""

    async def find(self, until: float, customer: str) -> list[dict[str, object]]:
        """Return the orders of a customer."""
        assert isinstance(self.pool, ReadsApart)
        async with self.pool.reads.lease(until) as connection:
            return [dict(row) for row in await connection.fetch(OF, customer)]


class RemembersWhatIsMissing(Finds):
    """Remembers which customers have no order, until one is placed: a key that was used before
    "places none"."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._missing: set[str] = set()
        self._used: set[str] = set()

    async def find(self, until: float, customer: str) -> list[dict[str, object]]:
        """Return the orders of a customer."""
        if customer in self._missing:
            return []
        found = await super().find(until, customer)
        if not found:
            self._missing.add(customer)
        return found

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        repeated = key in self._used
        if key:
            self._used.add(key)
        number = await super().place(until, customer, key)
        if not repeated:
            self._missing.discard(customer)
        return number


class FrontWithFinding(Front):
    """Answers which orders a customer has."""

    async def find(self, request: Request) -> Response:
        """Return the orders of a customer."""
        assert isinstance(self.counter, Finds)
        customer = request.path_params["customer"]
        return JSONResponse(await self.counter.find(self.deadline(request), customer))


def _finding(counter: type[Finds]) -> Starlette:
    fronts: list[FrontWithFinding] = []

    def front(of: Counter) -> Front:
        fronts.append(FrontWithFinding(of))
        return fronts[0]

    app = kiosk(pool=ReadsApart, counter=counter, front=front)
    app.router.routes.append(Route("/customers/{customer}/orders", fronts[0].find))
    return app


def remembers_what_is_missing() -> Starlette:
    """Create the kiosk with `RemembersWhatIsMissing`."""
    return _finding(RemembersWhatIsMissing)


def finds_orders() -> Starlette:
    """Create the kiosk with `Finds`, which has no defect."""
    return _finding(Finds)
