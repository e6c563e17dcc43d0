"""The kiosk, which tells some errors in another way than the others."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

import asyncpg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import LIST
from tests.controls.kiosk.front import Front
from tests.controls.kiosk.refusals import Refused
from tests.controls.kiosk.settings import POOL, QUEUE

__all__ = [
    "class_of_the_driver_in_a_member",
    "door_in_plain_text",
    "html_when_the_disk_is_full",
    "limit_without_bounds",
    "only_two_codes_of_values",
    "own_shape_for_a_parameter",
    "plain_json_while_starting_up",
    "retry_after_in_the_past",
    "retry_after_without_a_zone",
    "sql_in_a_header",
    "text_refused_in_text",
    "unusable_value_in_text",
]


class ToldOtherwise(Front):
    """Answers some errors of the database without its last-resort handler."""

    told: tuple[type[Exception], ...] = ()

    def otherwise(self) -> Response:
        """Return the other answer."""
        raise NotImplementedError

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer an exception."""
        response = await super().refuse(request, error)
        return self.otherwise() if isinstance(error, self.told) else response


class PlainJsonWhileStartingUp(ToldOtherwise):
    """Says with another media type that the server is starting up."""

    told = (asyncpg.CannotConnectNowError,)

    def otherwise(self) -> Response:
        """Return a problem that is sent as application/json."""
        response = self.problem(Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Starting up."))
        response.headers["Content-Type"] = "application/json"
        return response


def plain_json_while_starting_up() -> Starlette:
    """Create the kiosk with `PlainJsonWhileStartingUp`."""
    return kiosk(front=PlainJsonWhileStartingUp)


class HtmlWhenTheDiskIsFull(ToldOtherwise):
    """Has a page for a full disk."""

    told = (asyncpg.DiskFullError,)

    def otherwise(self) -> Response:
        """Return the page."""
        return HTMLResponse("<h1>We are full</h1>", 503, {"Retry-After": "1"})


def html_when_the_disk_is_full() -> Starlette:
    """Create the kiosk with `HtmlWhenTheDiskIsFull`."""
    return kiosk(front=HtmlWhenTheDiskIsFull)


class UnusableValueInText(ToldOtherwise):
    """Refuses a value that cannot be stored in plain text."""

    told = (asyncpg.DataError,)

    def otherwise(self) -> Response:
        """Return the text."""
        return PlainTextResponse("This value is too long.", 422)


def unusable_value_in_text() -> Starlette:
    """Create the kiosk with `UnusableValueInText`."""
    return kiosk(front=UnusableValueInText)


class OwnShapeForAParameter(Front):
    """Checks the parameter of its list by itself, in a format of its own."""

    async def orders(self, request: Request) -> Response:
        """Return the last orders, as many as `limit` says."""
        if not request.query_params.get("limit", "10").isdigit():
            return JSONResponse({"detail": [{"loc": ["query", "limit"]}]}, 422)
        return await super().orders(request)


def own_shape_for_a_parameter() -> Starlette:
    """Create the kiosk with `OwnShapeForAParameter`."""
    return kiosk(front=OwnShapeForAParameter)


class TextRefusedInText(Front):
    """Refuses a body that is not JSON before it looks at it."""

    async def place(self, request: Request) -> Response:
        """Place an order."""
        if request.headers.get("Content-Type", "").startswith("text/"):
            return PlainTextResponse("Unsupported Media Type", 415)
        return await super().place(request)


def text_refused_in_text() -> Starlette:
    """Create the kiosk with `TextRefusedInText`."""
    return kiosk(front=TextRefusedInText)


class RetryAfterADate(Front):
    """Says when to retry by a date."""

    def date(self) -> str:
        """Return the date."""
        raise NotImplementedError

    def problem(self, refused: Refused) -> Response:
        """Answer with a date in the place of seconds."""
        response = super().problem(refused)
        if "Retry-After" in response.headers:
            response.headers["Retry-After"] = self.date()
        return response


class RetryAfterWithoutAZone(RetryAfterADate):
    """Leaves the date's time zone out."""

    def date(self) -> str:
        """Return a time in ten seconds."""
        later = datetime.now(UTC) + timedelta(seconds=10)
        return format_datetime(later, usegmt=True).removesuffix(" GMT")


def retry_after_without_a_zone() -> Starlette:
    """Create the kiosk with `RetryAfterWithoutAZone`."""
    return kiosk(front=RetryAfterWithoutAZone)


class RetryAfterInThePast(RetryAfterADate):
    """Subtracts where it should add."""

    def date(self) -> str:
        """Return a time ten seconds ago."""
        return format_datetime(datetime.now(UTC) - timedelta(seconds=10), usegmt=True)


def retry_after_in_the_past() -> Starlette:
    """Create the kiosk with `RetryAfterInThePast`."""
    return kiosk(front=RetryAfterInThePast)


class SqlInAHeader(Front):
    """Sends the statement that failed along, in small letters."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer with the statement in a header."""
        response = await super().refuse(request, error)
        response.headers["X-Statement"] = LIST.lower()
        return response


def sql_in_a_header() -> Starlette:
    """Create the kiosk with `SqlInAHeader`."""
    return kiosk(front=SqlInAHeader)


class ClassInAMember(Front):
    """Names the driver's class in a member of its own, for unexpected errors of the database."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer with the name of the class."""
        response = await super().refuse(request, error)
        if not isinstance(error, asyncpg.InternalServerError):
            return response
        members = json.loads(bytes(response.body))
        members["cause"] = f"asyncpg.{type(error).__name__}"
        return JSONResponse(members, response.status_code, media_type="application/problem+json")


def class_of_the_driver_in_a_member() -> Starlette:
    """Create the kiosk with `ClassInAMember`."""
    return kiosk(front=ClassInAMember)


class DoorInPlainText:
    """Refuses, before anything else is looked at, what exceeds the requests that it admits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._inside >= POOL + QUEUE and "health" not in scope["path"]:
            await PlainTextResponse("busy", 503)(scope, receive, send)
            return
        self._inside += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside -= 1


def door_in_plain_text() -> Starlette:
    """Create the kiosk with `DoorInPlainText`."""
    app = kiosk()
    app.add_middleware(DoorInPlainText)
    return app


class OnlyTwoCodes(Front):
    """Foresees two codes of class 22, not the class."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer an exception."""
        foreseen = (asyncpg.StringDataRightTruncationError, asyncpg.InvalidTextRepresentationError)
        if isinstance(error, asyncpg.DataError) and not isinstance(error, foreseen):
            return self.unforeseen(error)
        return await super().refuse(request, error)


def only_two_codes_of_values() -> Starlette:
    """Create the kiosk with `OnlyTwoCodes`."""
    return kiosk(front=OnlyTwoCodes)


class LimitWithoutBounds(Front):
    """Hands any limit on to its driver, and foresees only what the server says of values."""

    async def orders(self, request: Request) -> Response:
        """Return the last orders, as many as `limit` says."""
        limit = request.query_params.get("limit", "10")
        if not limit.isdecimal():
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY)
        async with self.counter.pool.lease(self.deadline(request)) as connection:
            rows = await connection.fetch(LIST.replace("10", "$1"), int(limit))
        return JSONResponse([dict(row) for row in rows])

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer an exception. asyncpg raises this class, and none below it, by itself."""
        if type(error) is asyncpg.DataError:
            return self.unforeseen(error)
        return await super().refuse(request, error)


def limit_without_bounds() -> Starlette:
    """Create the kiosk with `LimitWithoutBounds`."""
    return kiosk(front=LimitWithoutBounds)
