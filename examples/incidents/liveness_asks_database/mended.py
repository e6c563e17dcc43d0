"""Notes, with FastAPI and asyncpg."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=0, max_size=5, timeout=0.5, command_timeout=0.5
    ) as app.state.pool:
        yield


async def unavailable(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "The database is unavailable"}, 503, {"Retry-After": "1"})


app = FastAPI(lifespan=lifespan, exception_handlers=dict.fromkeys(ERRORS, unavailable))


@app.get("/notes")
async def notes() -> list[dict[str, Any]]:
    rows = await app.state.pool.fetch("select id, text from notes order by id desc limit 10")
    return [dict(row) for row in rows]


@app.get("/live")
async def live() -> dict[str, str]:
    return {"status": "pass"}


@app.get("/ready")
async def ready() -> dict[str, str]:
    await app.state.pool.fetchval("select 1")
    return {"status": "pass"}
