"""Orders, with FastAPI and SQLAlchemy on asyncpg."""

import asyncio
import json
import logging
import os
import random
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import Annotated, Any, TypeVar, cast

import asyncpg
from fastapi import FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import Column, Integer, MetaData, String, Table, event, insert, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from starlette.exceptions import HTTPException

DEADLINE = 0.9
"""Seconds for all steps of a request; callers are promised an answer within a second."""

CUT = 0.1
"""Seconds before the deadline at which a connection is cut."""

Result = TypeVar("Result")

log = logging.getLogger("shop")
logging.basicConfig(level=logging.INFO)

# Waiting for the pool and connecting end by themselves, long before the deadline: a connect that is
# cancelled is waited for. The server ends the query of a connection that was cut.
engine = create_async_engine(
    os.environ["DATABASE_URL"],
    pool_size=5,
    max_overflow=0,
    pool_timeout=0.3,
    connect_args={
        "timeout": 0.3,
        "command_timeout": 0.7,
        "server_settings": {"statement_timeout": "800"},
    },
)

metadata = MetaData()
orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer", String(80), nullable=False),
    Column("key", String(80), unique=True),
)


@event.listens_for(engine.sync_engine, "handle_error")
def drop_read_only_sessions(context: ExceptionContext) -> None:
    """Replace the pool's connections to a server that has been demoted."""
    if sqlstate(context.original_exception) == "25006":
        context.is_disconnect = True


@asynccontextmanager
async def connected(until: float) -> AsyncIterator[AsyncConnection]:
    """Lease a connection. Just before that moment of the event loop's clock it is cut, so its query
    fails, and so does the ROLLBACK that SQLAlchemy sends as it takes the connection back; if the
    query were cancelled, SQLAlchemy would close the connection in good order, and wait for the
    server."""
    with ExitStack() as timers:
        async with engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            timer = asyncio.get_running_loop().call_at(until - CUT, driver.terminate)
            timers.callback(timer.cancel)
            try:
                yield connection
            except asyncio.CancelledError:
                driver.terminate()
                await connection.invalidate()
                raise


class Retries:
    """A transaction that met another one is tried again, within the deadline and a budget: each
    request earns a tenth of a retry."""

    def __init__(self) -> None:
        self._saved = 5.0

    async def run(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do the work, at most three times."""
        self._saved = min(5.0, self._saved + 0.1)
        attempt = 1
        while True:
            try:
                return await work()
            except DBAPIError as error:
                if sqlstate(error.orig) not in {"40001", "40P01"}:
                    raise
                if attempt == 3 or self._saved < 1:
                    raise
            self._saved -= 1
            jitter = random.uniform(0.5, 1)  # noqa: S311 - no secret
            await asyncio.sleep(jitter * 0.02 * 2**attempt)
            attempt += 1


retries = Retries()


DRIVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a connection that ended while it was idle
    OSError,
)
"""What asyncpg raises."""


class Board:
    """The customers of the last orders, newest first: a connection of its own listens for orders.

    PostgreSQL keeps no notifications for a session that is not there, so all is read again after
    each connect, and every half second, which also shows whether the connection still works.
    """

    def __init__(self) -> None:
        self.customers: list[str] = []
        self.changed = asyncio.Event()
        self._read = float("-inf")

    def is_fed(self) -> bool:
        """Whether the database has answered within the last second."""
        return asyncio.get_running_loop().time() - self._read < 1

    async def run(self) -> None:
        """Listen for ever, on one connection after the other."""
        while True:
            try:
                await self._listen()
            except DRIVER_ERRORS as error:
                log.warning("the board is not fed: %s", type(error).__name__)
            await asyncio.sleep(0.2)

    async def _listen(self) -> None:
        dsn = os.environ["DATABASE_URL"].replace("+asyncpg", "")
        ended = {"statement_timeout": "450"}  # also on the server
        connection = await asyncpg.connect(
            dsn, timeout=0.5, command_timeout=0.5, server_settings=ended
        )
        heard = asyncio.Event()
        try:
            await connection.add_listener("orders", lambda *_: heard.set())
            while True:
                heard.clear()
                rows = await connection.fetch(
                    "select customer from orders order by id desc limit 10"
                )
                self._show([row["customer"] for row in rows])
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await heard.wait()
        finally:
            connection.terminate()

    def _show(self, customers: list[str]) -> None:
        self._read = asyncio.get_running_loop().time()
        if customers != self.customers:
            self.customers = customers
            self.changed.set()
            self.changed = asyncio.Event()


board = Board()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Feed the board, and close the pool at the end."""
    feeding = asyncio.create_task(board.run())
    yield
    feeding.cancel()
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


# -- errors ---------------------------------------------------------------------------------------

TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class Undetermined(Exception):
    """COMMIT was sent, and its reply never came."""


def sqlstate(error: BaseException | None) -> str:
    """The SQLSTATE of an error of the database, or nothing."""
    return str(getattr(error, "sqlstate", None) or "")


def problem(
    request: Request, status: int, title: str, error: BaseException, **headers: str
) -> JSONResponse:
    """Answer in the one format (RFC 9457), and log the cause under the same id."""
    sent = TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    trace = sent[1] if sent else uuid.uuid4().hex
    log.error(
        "%s %s %s: %s, %s %s",
        *(trace, request.method, request.url.path, status),
        *(type(error).__name__, sqlstate(getattr(error, "orig", error))),
    )
    body = {"type": "about:blank", "title": title, "status": status, "trace_id": trace}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(body, status, named, media_type="application/problem+json")


async def refused(request: Request, error: Exception) -> JSONResponse:
    """Unknown paths, wrong methods."""
    known = cast("HTTPException", error)
    return problem(request, known.status_code, known.detail, error, **(known.headers or {}))


async def invalid(request: Request, error: Exception) -> JSONResponse:
    """What the caller sent is not an order."""
    return problem(request, 422, "The request is invalid", error)


async def undetermined(request: Request, error: Exception) -> JSONResponse:
    """The caller has to ask again, with the same key."""
    return problem(request, 504, "It is not known whether the order was placed", error)


async def unavailable(request: Request, error: Exception) -> JSONResponse:
    """The database refused, was late, or is gone."""
    state = sqlstate(getattr(error, "orig", None))
    if state == "23505":
        return problem(request, 409, "There is such an order already", error)
    if state.startswith("22"):
        return problem(request, 422, "The request is invalid", error)
    return problem(request, 503, "The database is unavailable", error, Retry_After="1")


async def bug(request: Request, error: Exception) -> JSONResponse:
    """Whatever nothing above foresees."""
    log.exception("unforeseen", exc_info=error)
    return problem(request, 500, "Internal error", error)


app.add_exception_handler(HTTPException, refused)
app.add_exception_handler(RequestValidationError, invalid)
app.add_exception_handler(Undetermined, undetermined)
for kind in (DBAPIError, PoolTimeout, OSError):  # TimeoutError is an OSError
    app.add_exception_handler(kind, unavailable)
app.add_exception_handler(Exception, bug)


# -- routes ---------------------------------------------------------------------------------------


class Order(BaseModel):
    """What is ordered."""

    customer: str = Field(max_length=80)


@app.get("/orders")
async def list_orders() -> list[dict[str, Any]]:
    """The last ten orders."""

    until = asyncio.get_running_loop().time() + DEADLINE

    async def work() -> list[dict[str, Any]]:
        async with connected(until) as connection:
            rows = await connection.execute(select(orders).order_by(orders.c.id.desc()).limit(10))
            return [dict(row) for row in rows.mappings()]

    async with asyncio.timeout_at(until):
        return await retries.run(work)


@app.post("/orders", status_code=201)
async def place(
    order: Order, idempotency_key: Annotated[str | None, Header()] = None
) -> dict[str, Any]:
    """Place an order, once for each key."""
    committing = False
    until = asyncio.get_running_loop().time() + DEADLINE

    async def work() -> int:
        nonlocal committing
        committing = False
        async with connected(until) as connection:
            if idempotency_key:
                known = select(orders).where(orders.c.key == idempotency_key)
                found = (await connection.execute(known)).mappings().first()
                if found is not None and found["customer"] != order.customer:
                    raise HTTPException(422, "The key belongs to another order")
                if found is not None:
                    return int(found["id"])
            new = insert(orders).values(customer=order.customer, key=idempotency_key)
            number = await connection.scalar(new.returning(orders.c.id))
            committing = True
            await connection.commit()
            committing = False
            return int(number)

    try:
        async with asyncio.timeout_at(until):
            number = await retries.run(work)
    except (DBAPIError, OSError) as error:
        refused_for_certain = sqlstate(getattr(error, "orig", None)).startswith(("23", "40"))
        if committing and not refused_for_certain:
            raise Undetermined from error
        raise
    return {"id": number, "customer": order.customer}


@app.get("/board")
async def show_board() -> list[str]:
    """Who ordered last, as far as the board knows."""
    return board.customers


@app.get("/events")
async def events() -> StreamingResponse:
    """The board, and again whenever it has changed; it needs no connection of the pool."""

    async def stream() -> AsyncIterator[str]:
        while True:
            changed = board.changed
            yield f"data: {json.dumps(board.customers)}\n\n"
            await changed.wait()

    return StreamingResponse(stream(), media_type="text/event-stream")


@app.get("/shipping")
async def shipping() -> dict[str, int]:
    """The price of shipping, which needs no database."""
    return {"cents": 490}


@app.get("/live")
async def live() -> dict[str, str]:
    """The process is there, whatever the database does."""
    return {"status": "pass"}


@app.get("/ready")
async def ready() -> JSONResponse:
    """The database answers, as the board has seen on its own connection: a probe never waits."""
    if board.is_fed():
        return JSONResponse({"status": "pass"}, media_type="application/health+json")
    body = {"status": "fail", "checks": {"database": [{"status": "fail"}]}}
    return JSONResponse(body, 503, media_type="application/health+json")
