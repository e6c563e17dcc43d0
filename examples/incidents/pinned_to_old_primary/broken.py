"""Notes, with FastAPI and SQLAlchemy on asyncpg."""

import os
from typing import Any

from fastapi import Body, FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(
    os.environ["DATABASE_URL"],
    pool_size=5,
    max_overflow=0,
    pool_timeout=0.5,
    pool_pre_ping=True,
    connect_args={"timeout": 0.5, "command_timeout": 0.5},
)
app = FastAPI()


@app.exception_handler(OSError)
@app.exception_handler(PoolTimeout)
@app.exception_handler(DBAPIError)
async def unavailable(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "The database is unavailable"}, 503, {"Retry-After": "1"})


@app.get("/notes")
async def notes() -> list[dict[str, Any]]:
    async with engine.connect() as connection:
        last = text("select id, text from notes order by id desc limit 10")
        return [dict(row) for row in (await connection.execute(last)).mappings()]


@app.post("/notes", status_code=201)
async def add(note: str = Body(alias="text", embed=True)) -> dict[str, Any]:
    async with engine.begin() as connection:
        insert = text("insert into notes (text) values (:text) returning id")
        return {"id": await connection.scalar(insert, {"text": note}), "text": note}


@app.get("/live")
async def live() -> dict[str, str]:
    return {"status": "pass"}


@app.get("/ready")
async def ready() -> dict[str, str]:
    async with engine.connect() as connection:
        await connection.execute(text("select 1"))
    return {"status": "pass"}
