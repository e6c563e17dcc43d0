"""Kiosks for members only: behind a login, with orders that can be read by their number."""

import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Final

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from brownout import Authentication, Operation, Service
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.declaration import ORDERS, PLACE, declared_kiosk
from tests.controls.kiosk.front import Front
from tests.controls.kiosk.refusals import Refused

__all__ = ["forgetful", "members", "short_lived"]

_LIFETIME: Final = 600.0  # seconds
_SHORT: Final = 3.0
FIND = "SELECT id, customer FROM orders WHERE id = $1"


class Members(Front):
    """Lets in who has logged in, and logs each member's token, as no service should."""

    lifetime = _LIFETIME

    def __init__(self, counter: Counter) -> None:
        super().__init__(counter)
        self.sessions: dict[str, float] = {}

    async def login(self, request: Request) -> Response:
        """Give a token for the password."""
        if (await request.json()).get("password") != "let-me-in":
            return self.problem(Refused(HTTPStatus.UNAUTHORIZED, "The password is wrong."))
        token = secrets.token_urlsafe(24)
        self.sessions[token] = time.monotonic() + self.lifetime
        return JSONResponse({"access_token": token, "expires_in": self.lifetime})

    def admit(self, request: Request) -> None:
        """Refuse a caller without a token that is still valid."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        print("a member came with", token, file=sys.stderr, flush=True)
        if self.sessions.get(token, 0) < time.monotonic():
            raise Refused(HTTPStatus.UNAUTHORIZED, "Log in first.")

    async def orders(self, request: Request) -> Response:
        """Return the last orders."""
        self.admit(request)
        return await super().orders(request)

    async def place(self, request: Request) -> Response:
        """Place an order."""
        self.admit(request)
        return await super().place(request)

    async def order(self, request: Request) -> Response:
        """Return one order."""
        self.admit(request)
        async with self.counter.pool.lease(self.deadline(request)) as connection:
            found = await connection.fetchrow(FIND, request.path_params["number"])
        if found is None:
            raise Refused(HTTPStatus.NOT_FOUND, "There is no such order.")
        return JSONResponse(dict(found))


class Forgetful(Members):
    """Logs everybody out when the database fails."""

    def unforeseen(self, error: Exception) -> Response:
        """Answer an unexpected exception."""
        self.sessions.clear()
        return super().unforeseen(error)

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer an exception."""
        if isinstance(error, (asyncpg.PostgresError, OSError)):
            self.sessions.clear()
        return await super().refuse(request, error)


class ShortLived(Members):
    """Gives tokens that are valid for less than a trial takes, and says so."""

    lifetime = _SHORT


def kiosk_of(front: Callable[[Counter], Members]) -> Starlette:
    """The kiosk behind this front's login."""
    fronts: list[Members] = []

    def keep(counter: Counter) -> Members:
        fronts.append(front(counter))
        return fronts[0]

    app = kiosk(front=keep)
    app.router.routes += [
        Route("/login", fronts[0].login, methods=["POST"]),
        Route("/orders/{number:int}", fronts[0].order),
    ]
    return app


def kiosk_of_members() -> Starlette:
    """A sound one."""
    return kiosk_of(Members)


def forgetful_kiosk() -> Starlette:
    """One that logs everybody out."""
    return kiosk_of(Forgetful)


def short_lived_kiosk() -> Starlette:
    """One whose tokens are valid for three seconds."""
    return kiosk_of(ShortLived)


def _declared(app: str, **fields: object) -> Service:
    password = {"user": "ada", "password": "{KIOSK_PASSWORD}"}
    return replace(
        declared_kiosk(f"tests.trial.members:{app}"),
        cwd=Path(__file__).parents[2],
        secrets=["KIOSK_PASSWORD"],
        login=Authentication(path="/login", json=password),
        operations=(
            ORDERS,
            Operation.read("order", "GET", "/orders/{order_id}"),
            replace(PLACE, captures={"order_id": "$.id"}),
        ),
        **fields,  # type: ignore[arg-type]
    )


members = _declared("kiosk_of_members")
forgetful = _declared("forgetful_kiosk")
short_lived = _declared("short_lived_kiosk")
