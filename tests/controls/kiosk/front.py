"""The kiosk's HTTP interface, which answers with JSON or a problem."""

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator
from contextvars import ContextVar
from hashlib import pbkdf2_hmac
from http import HTTPStatus
from typing import Final

import asyncpg
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused, Undetermined, meaning
from tests.controls.kiosk.settings import DEADLINE, WORK

__all__ = ["DEADLINE_HEADER", "EXPECTED", "TRACE", "Front", "computed"]

EXPECTED: Final = (*DRIVER_ERRORS, HTTPException, Refused, Undetermined)
"""What handlers raise; any other exception is a bug."""

TRACE: Final[ContextVar[str | None]] = ContextVar("trace", default=None)
"""The caller's trace id, if it sent one."""


DEADLINE_HEADER: Final = "X-Request-Timeout-Ms"
"""How long the caller waits, in milliseconds."""


DIGESTS: Final = 4
"""How many digests may be asked for at once; they are computed one after the other."""


def computed() -> str:
    """Return a digest that costs about 50 ms of CPU time."""
    return pbkdf2_hmac("sha256", b"kiosk", b"salt", 60_000).hex()


class Front:
    """The operations, and the answer to every error."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self._digesting = asyncio.Lock()
        self._asked_for = 0
        self._menu: list[dict[str, object]] = []
        self._menu_of: float | None = None

    def deadline(self, request: Request) -> float:
        """Return the deadline of the work for a request that begins now; its caller may wait for
        less time than all others."""
        patience = float(request.headers.get(DEADLINE_HEADER, DEADLINE * 1000)) / 1000
        return asyncio.get_running_loop().time() + WORK * min(1, patience / DEADLINE)

    async def orders(self, request: Request) -> Response:
        """Return the last orders."""
        return JSONResponse(await self.counter.orders(self.deadline(request)))

    async def place(self, request: Request) -> Response:
        """Place an order."""
        until = self.deadline(request)
        try:
            customer = str((await request.json())["customer"])
        except (json.JSONDecodeError, KeyError, TypeError):
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY) from None
        key = request.headers.get("Idempotency-Key")
        number = await self.counter.place(until, customer, key)
        return JSONResponse({"id": number, "customer": customer}, HTTPStatus.CREATED)

    async def stream(self, request: Request) -> Response:
        """Send the last orders, and then nothing more."""
        orders = await self.counter.orders(self.deadline(request))
        return StreamingResponse(self.events(orders), media_type="text/event-stream")

    async def events(self, orders: list[dict[str, object]]) -> AsyncIterator[str]:
        """Yield one event, and never end."""
        yield f"data: {json.dumps(orders)}\n\n"
        await asyncio.Event().wait()

    async def quote(self, _: Request) -> Response:
        """Return the price of shipping, which needs no database."""
        return JSONResponse({"cents": 490})

    async def menu(self, request: Request) -> Response:
        """Return the last orders, or what they were, with their age in seconds."""
        loop = asyncio.get_running_loop()
        try:
            self._menu = await self.counter.orders(self.deadline(request))
        except EXPECTED:
            if self._menu_of is None:
                raise
            age = f"{loop.time() - self._menu_of:.0f}"
            return JSONResponse(self._menu, headers={"Age": age})
        self._menu_of = loop.time()
        return JSONResponse(self._menu)

    async def digest(self, _: Request) -> Response:
        """Return what takes a while to compute, in a thread and without the interpreter's lock."""
        if self._asked_for >= DIGESTS:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Enough of them are being computed.")
        self._asked_for += 1
        try:
            async with self._digesting:
                return JSONResponse({"digest": await asyncio.to_thread(computed)})
        finally:
            self._asked_for -= 1

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer an exception with a problem (RFC 9457)."""
        parent = request.headers.get("traceparent")
        TRACE.set(parent.split("-")[1] if parent else None)
        if isinstance(error, HTTPException):
            status = HTTPStatus(error.status_code)
            return self.problem(Refused(status, "The request is invalid."))
        refused = error if isinstance(error, Refused) else meaning(error)
        return self.unforeseen(error) if refused is None else self.problem(refused)

    def unforeseen(self, error: Exception) -> Response:
        """Answer an unexpected exception."""
        state = error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return self.problem(Refused(status, "The error was logged.", sqlstate=state))

    def problem(self, refused: Refused) -> Response:
        """Answer a refusal, always in this format."""
        trace_id = TRACE.get() or secrets.token_hex(16)
        self.log(trace_id, refused)
        retry = {"Retry-After": "1"} if refused.status is HTTPStatus.SERVICE_UNAVAILABLE else {}
        return JSONResponse(
            {
                "type": f"https://kiosk.example/problems/{refused.status.value}",
                "title": refused.status.phrase,
                "status": refused.status.value,
                "detail": refused.detail,
                "trace_id": trace_id,
                "origin": self.origin(refused),
            },
            refused.status,
            media_type="application/problem+json",
            headers=retry,
        )

    def origin(self, refused: Refused) -> str:
        """Return where a refusal arose."""
        return "request" if refused.status < HTTPStatus.INTERNAL_SERVER_ERROR else "database"

    def log(self, trace_id: str, refused: Refused) -> None:
        """Write one line about a refusal."""
        state = refused.sqlstate or "none"
        level = "ERROR" if refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "INFO"
        line = f"{level} {trace_id} status {refused.status.value} sqlstate {state}"
        print(line, file=sys.stderr, flush=True)
