"""Orders, placed against stock in one transaction: `stock + ordered` never changes."""

from collections.abc import Sequence
from typing import Annotated

import asyncpg
from pydantic import AwareDatetime, BaseModel, Field

from sample_service.problems import (
    IDEMPOTENCY_KEY_IN_USE,
    IDEMPOTENCY_KEY_REUSED,
    OUT_OF_STOCK,
    UNKNOWN_ORDER,
    UNKNOWN_PRODUCT,
    Problem,
)
from sample_service.resilience.database import Database
from sample_service.resilience.deadline import Deadline
from sample_service.resilience.failures import ConnectionLost
from sample_service.resilience.pool import Connection

__all__ = ["NewOrder", "Order", "Orders"]

COLUMNS = "id, customer, sku, quantity, total_cents, placed_at, cancelled_at"

# Without the lock, the second of two concurrent requests with one key would wait for the first at
# the unique index. It is released with the transaction.
LOOK_UP = """
    SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS alone, orders.*
    FROM (VALUES (1)) AS one LEFT JOIN orders ON idempotency_key = $1"""

PLACE = f"""
    WITH taken AS (
        UPDATE products SET stock = stock - $3 WHERE sku = $2 AND stock >= $3
        RETURNING price_cents::bigint * $3 AS total_cents)
    INSERT INTO orders (customer, sku, quantity, total_cents, idempotency_key)
    SELECT $1, $2, $3, total_cents, $4 FROM taken
    RETURNING {COLUMNS}"""  # noqa: S608 - constants only

CANCEL = f"""
    WITH cancelled AS (
        UPDATE orders SET cancelled_at = now() WHERE id = $1 AND cancelled_at IS NULL
        RETURNING {COLUMNS}),
    given_back AS (
        UPDATE products SET stock = stock + quantity FROM cancelled
        WHERE products.sku = cancelled.sku)
    SELECT * FROM cancelled"""  # noqa: S608

READ = f"SELECT {COLUMNS} FROM orders WHERE id = $1"  # noqa: S608

PAGE = f"""
    SELECT {COLUMNS} FROM orders
    WHERE ($1::text IS NULL OR customer = $1) AND id < $2 ORDER BY id DESC LIMIT $3"""  # noqa: S608

ASK_AGAIN = "Wait for the other request's answer, or retry."


class NewOrder(BaseModel):
    """An order as the caller sends it."""

    customer: Annotated[str, Field(min_length=1, max_length=200)]
    sku: Annotated[str, Field(min_length=1, max_length=64)]
    quantity: Annotated[int, Field(ge=1, le=1000)]


class Order(NewOrder):
    """An order."""

    id: int
    total_cents: int
    placed_at: AwareDatetime
    cancelled_at: AwareDatetime | None


class Orders:
    """The orders in the database. Every method raises `Problem`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._circuit = database.circuit("orders")

    async def place(self, deadline: Deadline, new: NewOrder, key: str | None) -> Order:
        """Take the stock and record the order, once per key."""

        attempts = 0

        async def unit(connection: Connection) -> Order:
            nonlocal attempts
            attempts += 1
            if key is not None:
                placed = await self._placed_before(connection, new, key, again=attempts > 1)
                if placed is not None:
                    return placed
            try:
                row = await connection.fetchrow(PLACE, new.customer, new.sku, new.quantity, key)
            except asyncpg.UniqueViolationError as error:  # placed since the look-up
                raise Problem(IDEMPOTENCY_KEY_IN_USE, ASK_AGAIN, sqlstate=error.sqlstate) from error
            if row is None:
                raise await self._refusal(connection, new)
            return Order(**row)

        return await self._database.write(deadline, self._circuit, unit, repeatable=key is not None)

    async def cancel(self, deadline: Deadline, order_id: int) -> Order:
        """Cancel the order and return its stock; a second call changes nothing."""

        async def unit(connection: Connection) -> Order:
            row = await connection.fetchrow(CANCEL, order_id)
            row = row or await connection.fetchrow(READ, order_id)
            if row is None:
                raise _unknown(order_id)
            return Order(**row)

        return await self._database.write(deadline, self._circuit, unit, repeatable=True)

    async def read(self, deadline: Deadline, order_id: int) -> Order:
        """Return one order."""
        rows = await self._database.read(deadline, self._circuit, READ, order_id)
        if not rows:
            raise _unknown(order_id)
        return Order(**rows[0])

    async def page(
        self, deadline: Deadline, customer: str | None, before: int, limit: int
    ) -> Sequence[Order]:
        """Return at most `limit` orders with an id below `before`, newest first."""
        found = await self._database.read(deadline, self._circuit, PAGE, customer, before, limit)
        return [Order(**row) for row in found]

    async def _placed_before(
        self, connection: Connection, new: NewOrder, key: str, *, again: bool
    ) -> Order | None:
        row = await connection.fetchrow(LOOK_UP, key)
        if row is None or not row["alone"]:
            if again:  # the server may have yet to end the session of the attempt before
                raise ConnectionLost
            raise Problem(IDEMPOTENCY_KEY_IN_USE, ASK_AGAIN)
        if row["id"] is None:
            return None
        if any(row[name] != value for name, value in new):
            raise Problem(IDEMPOTENCY_KEY_REUSED, "Use a new key for a new order.")
        # The same key gets the same answer, even if the order was cancelled since.
        return Order(**row).model_copy(update={"cancelled_at": None})

    async def _refusal(self, connection: Connection, new: NewOrder) -> Problem:
        stock = await connection.fetchval("SELECT stock FROM products WHERE sku = $1", new.sku)
        if stock is None:
            return Problem(UNKNOWN_PRODUCT, f"The product {new.sku!r} does not exist.")
        return Problem(OUT_OF_STOCK, f"{new.quantity} were ordered, {stock} are in stock.")


def _unknown(order_id: int) -> Problem:
    return Problem(UNKNOWN_ORDER, f"The order {order_id} does not exist.")
