"""The kiosk with wrong successful answers."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import LIST, Counter
from tests.controls.kiosk.front import EXPECTED, Front
from tests.controls.kiosk.pool import Pool

__all__ = [
    "ListUpToTheDeadline",
    "ShorterList",
    "StreamThatBreaksOff",
    "UnmarkedStaleList",
    "empty_instead",
]


async def row_by_row(pool: Pool, until: float) -> AsyncIterator[dict[str, object]]:
    """Yield the last orders, fetching two at a time."""
    async with pool.lease(until) as connection, connection.transaction():
        async for row in connection.cursor(LIST, prefetch=2):
            yield dict(row)


class ShorterList(Counter):
    """Reads row by row, and returns the rows that arrived before the connection broke."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the orders that arrived."""
        rows: list[dict[str, object]] = []
        with suppress(asyncpg.ConnectionDoesNotExistError):
            async for row in row_by_row(self.pool, until):
                rows.append(row)  # noqa: PERF401 - the rows must survive the error
        return rows


class ListUpToTheDeadline(Counter):
    """Reads row by row, and returns the rows that arrived before the deadline."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the orders that arrived."""
        rows: list[dict[str, object]] = []
        try:
            async for row in row_by_row(self.pool, until):
                rows.append(row)  # noqa: PERF401 - the rows must survive the error
        except TimeoutError:
            if not rows:
                raise
        return rows


class StreamThatBreaksOff(Front):
    """Streams the rows as they arrive, so it has already sent 200 when one is missing."""

    async def orders(self, request: Request) -> Response:
        """Start to answer with the first row."""
        rows = row_by_row(self.counter.pool, self.deadline(request))
        first = await anext(rows, None)
        if first is None:
            return JSONResponse([])
        return StreamingResponse(self._written(first, rows), media_type="application/json")

    async def _written(
        self, first: dict[str, object], rows: AsyncIterator[dict[str, object]]
    ) -> AsyncIterator[str]:
        yield "[" + json.dumps(first)
        async for row in rows:
            yield "," + json.dumps(row)
        yield "]"


class EmptyInstead(Front):
    """Swallows errors."""

    async def orders(self, request: Request) -> Response:
        """Return the last orders, or an empty list after an error."""
        try:
            return await super().orders(request)
        except EXPECTED:
            return JSONResponse([])


def empty_instead() -> Starlette:
    """Create the kiosk with `EmptyInstead`."""
    return kiosk(front=EmptyInstead)


class UnmarkedStaleList(Front):
    """Serves an old list after an error, without its age."""

    def __init__(self, counter: Counter) -> None:
        super().__init__(counter)
        self._last: Response = JSONResponse([])

    async def orders(self, request: Request) -> Response:
        """Return the last orders, or the previous answer after an error."""
        with suppress(*EXPECTED):
            self._last = await super().orders(request)
        return self._last
