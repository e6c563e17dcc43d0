"""Kiosks that are built in another way than the others, sound ones and broken twins of them."""

import asyncio
import hashlib
import os
from dataclasses import replace

from asyncpg.pool import PoolConnectionProxy
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from brownout import Answer, Errors, Service
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.declaration import declared_kiosk
from tests.controls.kiosk.front import Front
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.refusals import Refused

__all__ = [
    "below_a_path",
    "below_a_path_and_broken",
    "hard_working",
    "hard_working_kiosk",
    "kiosk_below_a_path",
    "kiosk_below_a_path_and_broken",
    "plain",
    "plain_without_codes",
]

_WORK = 20_000  # rounds, some 10 ms of a core
_PREFIX = "/shop/v1"
_KEY = {"Authorization": "Bearer let-me-in"}


class OverflowPool(Pool):
    """Keeps one connection and opens the others anew, as `max_overflow` does in SQLAlchemy."""

    async def give_back(self, connection: Connection) -> None:
        """Close the connection, unless it is the only one."""
        assert isinstance(connection, PoolConnectionProxy)
        if self._connections.get_size() > 1:
            await connection.close()
        await self._connections.release(connection)


class HardWorkingCounter(Counter):
    """Hashes a password for each request, as bcrypt does, and lists every order there is."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return all orders."""
        await self._hash()
        async with self.pool.lease(until) as connection:
            return [dict(row) for row in await connection.fetch("SELECT id, customer FROM orders")]

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        await self._hash()
        return await super().place(until, customer, key)

    @staticmethod
    async def _hash() -> None:
        await asyncio.to_thread(hashlib.pbkdf2_hmac, "sha256", b"secret", os.urandom(8), _WORK)


def hard_working_kiosk() -> Starlette:
    """A kiosk whose pool opens connections anew, whose CPU is needed, and whose list grows."""
    return kiosk(pool=OverflowPool, counter=HardWorkingCounter)


class Login:
    """Redirects callers without the key to a login page, whatever they ask for, but no probe."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or redirect it."""
        guarded = scope["type"] == "http" and "/health/" not in scope["path"]
        if guarded and Headers(scope=scope).get("Authorization") != _KEY["Authorization"]:
            await RedirectResponse("/login")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def _to_login(_: Request) -> Response:
    return RedirectResponse("/login")


def _below_a_path(app: Starlette) -> Starlette:
    """The app below a path and behind a login; every other path leads to the login, too."""
    return Starlette(
        routes=[Mount(_PREFIX, app=Login(app)), Route("/{rest:path}", _to_login)],
        lifespan=app.router.lifespan_context,
    )


def kiosk_below_a_path() -> Starlette:
    """A sound one."""
    return _below_a_path(kiosk())


class BrokenFront(Front):
    """Answers the framework's own errors in plain text: what only a caller with the key sees."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer as Starlette does by default."""
        if isinstance(error, HTTPException):
            return PlainTextResponse(error.detail, error.status_code)
        return await super().refuse(request, error)


def kiosk_below_a_path_and_broken() -> Starlette:
    """The same with a plain-text 404 and 405 below its path."""
    return _below_a_path(kiosk(front=BrokenFront))


class PlainFront(Front):
    """Answers every error in plain text that begins with its code."""

    def problem(self, refused: Refused) -> Response:
        """Answer a refusal."""
        answer = super().problem(refused)
        status = refused.status.value
        headers = {"Retry-After": "1"} if "retry-after" in answer.headers else {}
        return PlainTextResponse(f"ERR-{status} {refused.detail}", status, headers)


class CodelessFront(PlainFront):
    """The same without the code if the database is to blame."""

    def problem(self, refused: Refused) -> Response:
        """Answer a refusal."""
        answer = super().problem(refused)
        return answer if refused.status < 500 else PlainTextResponse("Sorry.", refused.status)


def plain_kiosk() -> Starlette:
    """A kiosk whose errors are plain text."""
    return kiosk(front=PlainFront)


def codeless_kiosk() -> Starlette:
    """One that leaves out the code of some."""
    return kiosk(front=CodelessFront)


def begins_with_its_code(answer: Answer) -> bool:
    """Whether an error has the format of these kiosks."""
    return answer.body.startswith(f"ERR-{answer.status} ".encode())


def _plain(app: str) -> Service:
    errors = Errors(media_type="text/plain", check=begins_with_its_code, trace=None)
    return replace(declared_kiosk(f"tests.trial.unusual:{app}"), errors=errors)


plain = _plain("plain_kiosk")
plain_without_codes = _plain("codeless_kiosk")
hard_working = declared_kiosk("tests.trial.unusual:hard_working_kiosk")


def _declared(app: str) -> Service:
    public = declared_kiosk(f"tests.trial.unusual:{app}")
    operations = [replace(one, headers={**one.headers, **_KEY}) for one in public.operations]
    return replace(public, base_path=_PREFIX, operations=operations)


below_a_path = _declared("kiosk_below_a_path")
below_a_path_and_broken = _declared("kiosk_below_a_path_and_broken")
