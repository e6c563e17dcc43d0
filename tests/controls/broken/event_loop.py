"""The kiosk with work that blocks the event loop, or other requests."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg.rows import dict_row
from starlette.applications import Starlette

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.settings import DEADLINE

__all__ = ["event_loop_bundle", "synchronous_driver", "synchronous_writes"]


class SynchronousDriver(Counter):
    """Calls a blocking driver in a coroutine."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders."""
        with (
            psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=2) as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            cursor.execute("SELECT id, customer FROM orders ORDER BY id DESC LIMIT 10")
            return cursor.fetchall()


def synchronous_driver() -> Starlette:
    """Create the kiosk with `SynchronousDriver`."""
    return kiosk(counter=SynchronousDriver)


class SynchronousWrites(Counter):
    """Calls a blocking driver in a coroutine, for writes only."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, once per key."""
        with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=2) as connection:
            row = connection.execute(
                "INSERT INTO orders (customer, key) VALUES (%s, %s)"
                " ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING id",
                [customer, key],
            ).fetchone()
        assert row is not None
        return int(row[0])


def synchronous_writes() -> Starlette:
    """Create the kiosk with `SynchronousWrites`."""
    return kiosk(counter=SynchronousWrites)


class SleepsAfterSlowness(Pool):
    """Calls `time.sleep` after slow work, to relieve the database."""

    @asynccontextmanager
    async def clock(self, connection: Connection, until: float) -> AsyncIterator[None]:
        """Measure the work, and sleep if it was slow."""
        began = time.monotonic()
        try:
            async with super().clock(connection, until):
                yield
        finally:
            if time.monotonic() - began > DEADLINE / 5:
                time.sleep(0.4)  # noqa: ASYNC251 - the defect


class OneAtATime(Counter):
    """Holds a lock around the database."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._lock = asyncio.Lock()

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders, for one caller at a time."""
        async with self._lock:
            return await super().orders(until)


def event_loop_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(pool=SleepsAfterSlowness, counter=OneAtATime)
