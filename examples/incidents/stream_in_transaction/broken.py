"""Notes, and all of them as a stream, with Flask and SQLAlchemy on psycopg."""

import json
import os
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, jsonify
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import scoped_session, sessionmaker

engine = create_engine(
    os.environ["DATABASE_URL"], pool_size=20, max_overflow=0, pool_timeout=0.5, pool_pre_ping=True
)
session = scoped_session(sessionmaker(engine))
app = Flask(__name__)


@app.teardown_appcontext
def close(_: BaseException | None) -> None:
    session.remove()


@app.errorhandler(PoolTimeout)
@app.errorhandler(OperationalError)
def unavailable(_error: Exception) -> tuple[Response, int, dict[str, str]]:
    return jsonify(detail="The database is unavailable"), 503, {"Retry-After": "1"}


@app.get("/notes")
def notes() -> list[dict[str, Any]]:
    last = text("select id, text from notes order by id desc limit 10")
    return [dict(row) for row in session.execute(last).mappings()]


@app.get("/export")
def export() -> Response:
    def lines() -> Iterator[str]:
        for row in session.execute(text("select id, text from notes order by id")).mappings():
            yield json.dumps(dict(row)) + "\n"

    return Response(lines(), mimetype="application/x-ndjson")


@app.get("/live")
def live() -> dict[str, str]:
    return {"status": "pass"}


@app.get("/ready")
def ready() -> dict[str, str]:
    session.execute(text("select 1"))
    return {"status": "pass"}
