"""The sample service's naive twin: the same shop as most people write it first.

It has the same framework, driver, pool size and SQL, but no deadlines, no limit on waiting
requests, no shedding, no retries and no problem details. benchmarks/spike.py compares the two; do
not copy it.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
from fastapi import FastAPI, Header, HTTPException, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

POOL_SIZE = 5
RESETS = os.environ.get("TWIN_RESETS", "yes") == "yes"
"""Whether to reset a session on release, as asyncpg does by default; that costs a round trip."""

LAST_ID = 2**63 - 1


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


class OrderPage(BaseModel):
    """A page of orders."""

    orders: list[Order]
    next: int | None


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[None]:
    """Keep the pool open while the service runs."""
    async with asyncpg.create_pool(
        os.environ["SHOP_DATABASE_URL"],
        min_size=POOL_SIZE,
        max_size=POOL_SIZE,
        reset=None if RESETS else _nothing,  # None: asyncpg's own
    ) as pool:
        app.state.pool = pool
        yield


async def _nothing(_: object) -> None:
    """Leave the session as it is."""


app = FastAPI(lifespan=running)


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    """Answer that the service is ready, without any check."""
    return {"status": "pass"}


@app.post("/orders", status_code=201)
async def place_order(
    new: NewOrder,
    response: Response,
    key: Annotated[
        str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)
    ] = None,
) -> Order:
    """Take the stock and record the order."""
    async with app.state.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            """
            WITH taken AS (
                UPDATE products SET stock = stock - $3 WHERE sku = $2 AND stock >= $3
                RETURNING price_cents::bigint * $3 AS total_cents)
            INSERT INTO orders (customer, sku, quantity, total_cents, idempotency_key)
            SELECT $1, $2, $3, total_cents, $4 FROM taken
            RETURNING id, customer, sku, quantity, total_cents, placed_at, cancelled_at""",
            new.customer,
            new.sku,
            new.quantity,
            key,
        )
    if row is None:
        raise HTTPException(409)
    response.headers["Location"] = f"/orders/{row['id']}"
    return Order(**row)


@app.get("/orders")
async def list_orders(
    customer: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    before: Annotated[int, Query(ge=1, le=LAST_ID)] = LAST_ID,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> OrderPage:
    """List the newest orders."""
    async with app.state.pool.acquire() as connection:
        rows = await connection.fetch(
            """
            SELECT id, customer, sku, quantity, total_cents, placed_at, cancelled_at FROM orders
            WHERE ($1::text IS NULL OR customer = $1) AND id < $2 ORDER BY id DESC LIMIT $3""",
            customer,
            before,
            limit,
        )
    return OrderPage(orders=[Order(**row) for row in rows], next=None)
