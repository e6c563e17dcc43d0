"""Orders, with Flask and SQLAlchemy on psycopg, served by the threads of gunicorn."""

import logging
import os
import random
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeVar

from flask import Flask, Response, g, jsonify, request
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    select,
    text,
)
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, UnprocessableEntity

DEADLINE = 2.7
"""Seconds for all steps of a request; callers are promised an answer within 3 s."""

Result = TypeVar("Result")

log = logging.getLogger("shop")
logging.basicConfig(level=logging.INFO)

# libpq's shortest connect_timeout is 2 s.
engine = create_engine(
    os.environ["DATABASE_URL"],
    pool_size=5,
    max_overflow=0,
    pool_timeout=0.5,
    connect_args={
        "connect_timeout": 2,
        "options": "-c statement_timeout=2500 -c idle_in_transaction_session_timeout=3000"
        " -c client_connection_check_interval=500",
    },
)

probes = create_engine(
    os.environ["DATABASE_URL"],
    pool_size=1,
    isolation_level="AUTOCOMMIT",
    connect_args={"connect_timeout": 2},
)

metadata = MetaData()
orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer", String(80), nullable=False),
    Column("key", String(80), unique=True),
)


@event.listens_for(engine, "handle_error")
def drop_read_only_sessions(context: ExceptionContext) -> None:
    """Replace the pool's connections to a server that has been demoted."""
    if sqlstate(context.original_exception) == "25006":
        context.is_disconnect = True


places = threading.BoundedSemaphore(20)
"""Half of gunicorn's threads: the others answer what needs no database."""


@contextmanager
def connected() -> Iterator[Connection]:
    """Lease a connection until the request's deadline. Raises `PoolTimeout` where none is free in
    time, and at once where too many requests wait for one."""
    if not places.acquire(blocking=False):
        raise PoolTimeout("too many requests wait for the database")
    with ExitStack() as stack:
        stack.callback(places.release)
        connection = stack.enter_context(engine.connect())
        stack.enter_context(cut_at(g.until, connection))
        try:
            yield connection
        finally:
            # The pool would do so when it takes the connection back, and wait for ever.
            with suppress(DBAPIError):
                connection.rollback()


@contextmanager
def cut_at(until: float, connection: Connection) -> Iterator[None]:
    """Shut the connection's socket down at that moment: psycopg itself waits for ever."""
    driver: Any = connection.connection.driver_connection
    with socket.socket(fileno=os.dup(driver.fileno())) as end:
        left = max(0, until - time.monotonic())
        timer = threading.Timer(left, end.shutdown, [socket.SHUT_RDWR])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


class Check(threading.Thread):
    """Asks the database again and again, on a connection of its own: a probe need not wait."""

    seen = float("-inf")

    def run(self) -> None:
        """Ask until the process ends."""
        while True:
            try:
                with probes.connect() as connection:
                    while True:
                        with cut_at(time.monotonic() + 0.5, connection):
                            connection.execute(text("select 1"))
                        self.seen = time.monotonic()
                        time.sleep(0.2)
            except DBAPIError as error:
                log.warning("not ready: %s", str(error.orig).partition("\n")[0])
            time.sleep(0.2)


class Retries:
    """A transaction that met another one is tried again, within the deadline and a budget: each
    request earns a tenth of a retry."""

    def __init__(self) -> None:
        self._saved = 5.0

    def run(self, work: Callable[[], Result]) -> Result:
        """Do the work, at most three times."""
        self._saved = min(5.0, self._saved + 0.1)
        for attempt in (1, 2, 3):
            try:
                return work()
            except DBAPIError as error:
                again = sqlstate(error.orig) in {"40001", "40P01"}
                pause = random.uniform(0.5, 1) * 0.02 * 2**attempt  # noqa: S311 - no secret
                if not again or attempt == 3 or self._saved < 1:
                    raise
                if time.monotonic() + pause > g.until:
                    raise
            self._saved -= 1
            time.sleep(pause)
        raise AssertionError


retries = Retries()
app = Flask(__name__)


@app.before_request
def begin() -> None:
    """The request has so much time."""
    g.until = time.monotonic() + DEADLINE
    sent = re.fullmatch(
        r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", request.headers.get("traceparent", "")
    )
    g.trace = sent[1] if sent else uuid.uuid4().hex


# -- errors ---------------------------------------------------------------------------------------


class Undetermined(Exception):
    """COMMIT was sent, and its reply never came."""


def sqlstate(error: BaseException | None) -> str:
    """The SQLSTATE of an error of the database, or nothing."""
    return str(getattr(error, "sqlstate", None) or "")


def problem(status: int, title: str, error: BaseException, **headers: str) -> Response:
    """Answer in the one format (RFC 9457), and log the cause under the same id."""
    cause = getattr(error, "orig", error)
    log.error(
        "%s %s %s: %s, %s %s %s",
        *(g.trace, request.method, request.path, status),
        *(type(error).__name__, sqlstate(cause), str(cause).partition("\n")[0]),
    )
    body = {"type": "about:blank", "title": title, "status": status, "trace_id": g.trace}
    answer = jsonify(body)
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    for name, value in headers.items():
        answer.headers[name.replace("_", "-")] = value
    return answer


@app.errorhandler(HTTPException)
def refused(error: HTTPException) -> Response:
    """Unknown paths, wrong methods, bodies that are no JSON."""
    allowed = getattr(error, "valid_methods", None)
    headers = {"Allow": ", ".join(allowed)} if allowed else {}
    return problem(error.code or 500, error.name, error, **headers)


@app.errorhandler(Undetermined)
def undetermined(error: Undetermined) -> Response:
    """The caller has to ask again, with the same key."""
    return problem(504, "It is not known whether the order was placed", error)


@app.errorhandler(DBAPIError)
@app.errorhandler(PoolTimeout)
def unavailable(error: Exception) -> Response:
    """The database refused, was late, or is gone."""
    state = sqlstate(getattr(error, "orig", None))
    if state == "23505":
        return problem(409, "There is such an order already", error)
    if state.startswith("22"):
        return problem(422, "The request is invalid", error)
    return problem(503, "The database is unavailable", error, Retry_After="1")


@app.errorhandler(Exception)
def bug(error: Exception) -> Response:
    """Whatever nothing above foresees."""
    log.exception("unforeseen", exc_info=error)
    return problem(500, "Internal error", error)


# -- routes ---------------------------------------------------------------------------------------


@app.get("/orders")
def list_orders() -> Response:
    """The last ten orders."""

    def work() -> list[dict[str, Any]]:
        with connected() as connection:
            rows = connection.execute(select(orders).order_by(orders.c.id.desc()).limit(10))
            return [dict(row) for row in rows.mappings()]

    return jsonify(retries.run(work))


@app.post("/orders")
def place() -> tuple[Response, int]:
    """Place an order, once for each key."""
    sent = request.get_json()
    customer = sent.get("customer") if isinstance(sent, dict) else None
    if not isinstance(customer, str) or len(customer) > 80:
        raise UnprocessableEntity
    key = request.headers.get("Idempotency-Key")
    committing = False

    def work() -> int:
        nonlocal committing
        committing = False
        with connected() as connection:
            if key:
                known = select(orders).where(orders.c.key == key)
                found = connection.execute(known).mappings().first()
                if found is not None and found["customer"] != customer:
                    raise UnprocessableEntity
                if found is not None:
                    return int(found["id"])
            new = insert(orders).values(customer=customer, key=key)
            number = connection.scalar(new.returning(orders.c.id))
            committing = True
            connection.commit()
            committing = False
            return int(number)

    try:
        number = retries.run(work)
    except DBAPIError as error:
        if committing and not sqlstate(error.orig).startswith(("23", "40")):
            raise Undetermined from error
        raise
    return jsonify({"id": number, "customer": customer}), 201


@app.get("/shipping")
def shipping() -> Response:
    """The price of shipping, which needs no database."""
    return jsonify({"cents": 490})


@app.get("/live")
def live() -> Response:
    """The process is there, whatever the database does."""
    return jsonify({"status": "pass"})


check = Check(daemon=True)
check.start()


@app.get("/ready")
def ready() -> Response:
    """The database has answered within the last second."""
    if time.monotonic() - check.seen < 1:
        answer = jsonify({"status": "pass"})
    else:
        answer = jsonify({"status": "fail", "checks": {"database": [{"status": "fail"}]}})
        answer.status_code = 503
    answer.mimetype = "application/health+json"
    return answer
