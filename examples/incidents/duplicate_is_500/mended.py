"""Notes, with FastAPI and SQLAlchemy on psycopg."""

import os
from typing import Any

from fastapi import Body, FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

engine = create_engine(
    os.environ["DATABASE_URL"], pool_size=5, max_overflow=0, pool_timeout=0.5, pool_pre_ping=True
)
app = FastAPI()


@app.exception_handler(PoolTimeout)
@app.exception_handler(OperationalError)
async def unavailable(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "The database is unavailable"}, 503, {"Retry-After": "1"})


@app.exception_handler(IntegrityError)
async def taken(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "There is such a note already"}, 409)


@app.exception_handler(Exception)
async def unforeseen(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "Internal error"}, 500)


@app.post("/notes", status_code=201)
def add(note: str = Body(alias="text", embed=True)) -> dict[str, Any]:
    with engine.begin() as connection:
        insert = text("insert into notes (text) values (:text) returning id")
        return {"id": connection.scalar(insert, {"text": note}), "text": note}


@app.get("/live")
async def live() -> dict[str, str]:
    return {"status": "pass"}


@app.get("/ready")
def ready() -> dict[str, str]:
    with engine.connect() as connection:
        connection.execute(text("select 1"))
    return {"status": "pass"}
