"""The kiosk's counter, which places and lists orders."""

from contextlib import suppress
from http import HTTPStatus

import asyncpg
from asyncpg.transaction import Transaction

from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused, Undetermined

__all__ = ["SCHEMA", "Counter"]

SCHEMA = """
    CREATE TABLE IF NOT EXISTS orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer text NOT NULL,
        key text UNIQUE);
    CREATE TABLE IF NOT EXISTS receipts (order_id bigint PRIMARY KEY)"""

LIST = "SELECT id, customer FROM orders ORDER BY id DESC LIMIT 10"
FIND = "SELECT id, customer FROM orders WHERE key = $1"
PLACE = """
    WITH placed AS (INSERT INTO orders (customer, key) VALUES ($1, $2) RETURNING id)
    INSERT INTO receipts SELECT id FROM placed RETURNING order_id"""
"""An order and its receipt: there are as many of the one as of the other."""


class Counter:
    """The orders in the database. Deadlines are moments on the event loop's clock."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last ten orders, newest first."""
        async with self.pool.lease(until) as connection:
            return [dict(row) for row in await connection.fetch(LIST)]

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, once per key; return its number once COMMIT is confirmed."""
        async with self.pool.lease(until) as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                number = await self.work(connection, customer, key)
            except (asyncpg.PostgresError, Refused):
                await self.undo(transaction)
                raise
            await self.commit(transaction)
            return number

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Do the work of the transaction; return the order's number."""
        found = await connection.fetchrow(FIND, key) if key else None
        if found is not None:
            return self.found(found["id"], found["customer"], customer)
        placed: int = await connection.fetchval(PLACE, customer, key)
        return placed

    def found(self, number: int, placed_for: str, customer: str) -> int:
        """Return the number of the order that has this key already, if it is the same order."""
        if placed_for != customer:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "The key was used for another order.")
        return number

    async def commit(self, transaction: Transaction) -> None:
        """Commit. Raises `Undetermined` if the reply is lost."""
        try:
            await transaction.commit()
        except DRIVER_ERRORS as error:
            if isinstance(error, asyncpg.PostgresError) and error.severity_en == "ERROR":
                raise
            raise Undetermined from error

    async def undo(self, transaction: Transaction) -> None:
        """Roll back; if the connection is lost, the server does it by itself."""
        with suppress(*DRIVER_ERRORS):
            await transaction.rollback()
