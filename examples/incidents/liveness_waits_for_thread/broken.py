"""Notes, with FastAPI and SQLAlchemy on psycopg."""

import os
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

engine = create_engine(os.environ["DATABASE_URL"], pool_size=5, max_overflow=0, pool_timeout=2)
app = FastAPI()


@app.exception_handler(PoolTimeout)
@app.exception_handler(OperationalError)
async def unavailable(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "The database is unavailable"}, 503, {"Retry-After": "1"})


@app.get("/notes")
def notes() -> list[dict[str, Any]]:
    with engine.connect() as connection:
        rows = connection.execute(text("select id, text from notes order by id desc limit 10"))
        return [dict(row) for row in rows.mappings()]


@app.get("/live")
def live() -> dict[str, str]:
    return {"status": "pass"}


@app.get("/ready")
def ready() -> dict[str, str]:
    with engine.connect() as connection:
        connection.execute(text("select 1"))
    return {"status": "pass"}
