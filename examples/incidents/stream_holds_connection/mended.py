"""Notes, and a stream of events, with FastAPI and SQLAlchemy on asyncpg."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

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


async def session() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine) as one:
        yield one


Session = Annotated[AsyncSession, Depends(session, scope="function")]


@app.get("/events")
async def events(session: Session) -> StreamingResponse:
    number = await session.scalar(text("select count(*) from notes"))

    async def told() -> AsyncIterator[str]:
        yield f"data: {number} notes\n\n"
        while True:
            await asyncio.sleep(1)
            yield ": still here\n\n"

    return StreamingResponse(told(), media_type="text/event-stream")


@app.get("/notes")
async def notes(session: Session) -> list[dict[str, Any]]:
    last = text("select id, text from notes order by id desc limit 10")
    return [dict(row) for row in (await session.execute(last)).mappings()]


@app.get("/live")
async def live() -> dict[str, str]:
    return {"status": "pass"}


@app.get("/ready")
async def ready(session: Session) -> dict[str, str]:
    await session.execute(text("select 1"))
    return {"status": "pass"}
