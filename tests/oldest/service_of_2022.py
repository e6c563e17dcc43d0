"""A FastAPI service as teams wrote them in 2022: it uses nothing that came later."""

import os

import psycopg
from fastapi import FastAPI, HTTPException

__all__: list[str] = []

app = FastAPI()


def count() -> int:
    try:
        with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=1) as connection:
            row = connection.execute("select count(*) from notes").fetchone()
    except psycopg.Error as error:
        raise HTTPException(503, "the database is not available") from error
    assert row is not None
    return int(row[0])


@app.get("/live")
async def live() -> dict[str, str]:
    return {"status": "up"}


@app.get("/ready")
def ready() -> dict[str, int]:
    return {"notes": count()}


@app.get("/notes")
def notes() -> dict[str, int]:
    return {"notes": count()}
