"""Notes, each answered with how many there are, with FastAPI and asyncpg."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import Body, FastAPI, Request
from fastapi.responses import JSONResponse

ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=0, max_size=5, timeout=0.5, command_timeout=0.5
    ) as app.state.pool:
        yield


async def unavailable(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "Not saved"}, 503, {"Retry-After": "1"})


app = FastAPI(lifespan=lifespan, exception_handlers=dict.fromkeys(ERRORS, unavailable))

INSERT = "insert into notes (text) values ($1) returning id"
COUNT = "select count(*) from notes"


@app.post("/notes", status_code=201)
async def add(text: str = Body(embed=True)) -> Any:
    async with app.state.pool.acquire() as connection:
        async with connection.transaction():
            number = await connection.fetchval(INSERT, text)
        count = await connection.fetchval(COUNT)
    return {"id": number, "count": count}


@app.get("/live")
async def live() -> dict[str, str]:
    return {"status": "pass"}


@app.get("/ready")
async def ready() -> dict[str, str]:
    await app.state.pool.fetchval("select 1")
    return {"status": "pass"}
