"""The kiosk's notice board, which a background task keeps up to date."""

import asyncio
from contextlib import suppress
from typing import Final

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.controls.kiosk.pool import Session
from tests.controls.kiosk.refusals import DRIVER_ERRORS
from tests.controls.kiosk.settings import WORK

__all__ = ["CHANGE", "NOTES", "Board"]

NOTES: Final = (
    "CREATE TABLE IF NOT EXISTS notes (id bigint GENERATED ALWAYS AS IDENTITY, text text)"
)
CHANGE: Final = """
    with noted as (insert into notes (text) values ($1) returning text)
    select pg_notify('notes', text) from noted"""
LAST: Final = "SELECT text FROM notes ORDER BY id DESC LIMIT 10"
PAUSE: Final = 0.1
"""Between two attempts to connect, in seconds."""

HEARTBEAT: Final = 0.5
"""How long the listener waits before it asks whether its connection still works, in seconds."""


class Board:
    """The last notes, as of the last notification. One connection of its own listens."""

    def __init__(self, dsn: str) -> None:
        self.notes: list[str] = []
        self._dsn = dsn

    async def run(self) -> None:
        """Follow the notes for ever, on one connection after the other."""
        while True:
            with suppress(*DRIVER_ERRORS):
                await self.follow()
            await asyncio.sleep(PAUSE)

    async def follow(self) -> None:
        """Listen until the connection breaks. Raises what the driver raises."""
        connection = await asyncpg.connect(self._dsn, timeout=WORK)
        news: asyncio.Queue[str] = asyncio.Queue()
        try:
            await connection.add_listener("notes", lambda *sent: news.put_nowait(sent[-1]))
            await self.read(connection)
            while True:
                await self.heard(connection, await self.next(news))
        finally:
            connection.terminate()

    async def next(self, news: asyncio.Queue[str]) -> str | None:
        """Return the next note; None if none comes for a while."""
        try:
            async with asyncio.timeout(HEARTBEAT):
                return await news.get()
        except TimeoutError:
            return None

    async def heard(self, connection: Session, _: str | None) -> None:
        """Read again, whatever came: that shows whether the connection still works, too."""
        await self.read(connection)

    async def read(self, connection: Session) -> None:
        """Read the last notes."""
        self.notes = [row["text"] for row in await connection.fetch(LAST, timeout=WORK)]

    async def show(self, _: Request) -> Response:
        """Return the last notes."""
        return JSONResponse(self.notes)
