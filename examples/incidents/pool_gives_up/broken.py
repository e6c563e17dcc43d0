"""Notes, with FastAPI and a pool that replaces its dead connections in the background."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
SIZE = 5
LAST = "select id, text from notes order by id desc limit 10"
GIVE_UP = 2.0  # seconds


class Pool:
    def __init__(self) -> None:
        self._idle: asyncio.Queue[Any] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self) -> None:
        self._tasks.add(task := asyncio.create_task(self._connect()))
        task.add_done_callback(self._tasks.discard)

    async def _connect(self) -> None:
        pause, spent = 0.1, 0.0
        while spent < GIVE_UP:
            try:
                connection = await asyncpg.connect(os.environ["DATABASE_URL"], timeout=0.5)
            except ERRORS:
                await asyncio.sleep(pause)
            else:
                self._idle.put_nowait(connection)
                return
            spent, pause = spent + pause, min(pause * 2, 0.8)

    @asynccontextmanager
    async def leased(self) -> AsyncIterator[Any]:
        async with asyncio.timeout(0.25):
            connection = await self._idle.get()
        try:
            yield connection
        finally:
            if connection.is_closed():
                self.add()
            else:
                self._idle.put_nowait(connection)


pool = Pool()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    for _place in range(SIZE):
        pool.add()
    yield


async def unavailable(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "The database is unavailable"}, 503, {"Retry-After": "1"})


app = FastAPI(lifespan=lifespan, exception_handlers=dict.fromkeys(ERRORS, unavailable))


@app.get("/notes")
async def notes() -> list[dict[str, Any]]:
    async with pool.leased() as connection:
        rows = await connection.fetch(LAST, timeout=0.5)
    return [dict(row) for row in rows]


@app.get("/live")
async def live() -> dict[str, str]:
    return {"status": "pass"}


@app.get("/ready")
async def ready() -> dict[str, str]:
    async with pool.leased() as connection:
        await connection.fetchval("select 1", timeout=0.5)
    return {"status": "pass"}
