"""The kiosk with wrong error answers."""

import json
import time
import traceback
from http import HTTPStatus

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.controls.broken.answers import (
    ListUpToTheDeadline,
    ShorterList,
    StreamThatBreaksOff,
    UnmarkedStaleList,
)
from tests.controls.broken.bundle import bundle
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.front import Front
from tests.controls.kiosk.pool import SESSION, Pool
from tests.controls.kiosk.refusals import Refused, Undetermined
from tests.controls.kiosk.settings import WORK

__all__ = [
    "ended_session_bundle",
    "lost_connection_bundle",
    "media_type_bundle",
    "outage_bundle",
    "statement_timeout_bundle",
    "streamed_answer_bundle",
    "undetermined_commit_bundle",
]


LOST_IN_USE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    ConnectionResetError,
)
"""What asyncpg raises when a connection ends while in use."""


class HtmlPage(Front):
    """Answers unexpected exceptions with an HTML page."""

    def unforeseen(self, error: Exception) -> Response:
        """Return the page."""
        return HTMLResponse(f"<h1>{super().unforeseen(error).status_code} Sorry</h1>", 500)


class EndedSessionAs500(Front):
    """Does not expect the server to end a session mid-work."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer 500 to 57P01, which asyncpg reports as the cause of a lost connection."""
        if isinstance(error.__cause__, asyncpg.AdminShutdownError):
            return self.unforeseen(error)
        return await super().refuse(request, error)


def ended_session_bundle() -> Starlette:
    """Create the kiosk with three independent defects."""
    return kiosk(front=bundle(HtmlPage, EndedSessionAs500, UnmarkedStaleList))


class PlainJson(Front):
    """Sends its own problems, though not the framework's, with the wrong media type."""

    def problem(self, refused: Refused) -> Response:
        """Answer with application/json instead of RFC 9457's media type."""
        response = super().problem(refused)
        if refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            response.headers["Content-Type"] = "application/json"
        return response


class UnparsableRetryAfter(Front):
    """Sends a Retry-After that clients cannot parse."""

    def problem(self, refused: Refused) -> Response:
        """Answer with milliseconds; RFC 9110 §10.2.3 allows whole seconds and dates."""
        response = super().problem(refused)
        if "Retry-After" in response.headers:
            response.headers["Retry-After"] = "500ms"
        return response


class TracebackInTheDetail(Front):
    """Sends tracebacks to callers."""

    def unforeseen(self, error: Exception) -> Response:
        """Answer 500 with the traceback."""
        text = "".join(traceback.format_exception(error))
        return self.problem(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, text))


class ConflictAs500(Front):
    """Does not expect a duplicate key."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer 500 to a unique violation."""
        if isinstance(error, asyncpg.UniqueViolationError):
            return self.unforeseen(error)
        return await super().refuse(request, error)


def media_type_bundle() -> Starlette:
    """Create the kiosk with four independent defects."""
    return kiosk(front=bundle(ConflictAs500, PlainJson, UnparsableRetryAfter, TracebackInTheDetail))


class WrongStatus(Front):
    """Says 500 in the body of its own problems, though not the framework's, whatever the status."""

    def problem(self, refused: Refused) -> Response:
        """Answer with another status in the body."""
        response = super().problem(refused)
        if refused.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return response
        body = json.dumps({**json.loads(bytes(response.body)), "status": 500}).encode()
        return Response(
            body, refused.status, {"Retry-After": "1"}, media_type="application/problem+json"
        )


def streamed_answer_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(front=bundle(WrongStatus, StreamThatBreaksOff))


class OutageAs500(Front):
    """Answers an unavailable database like a bug of the service."""

    def problem(self, refused: Refused) -> Response:
        """Answer 500 instead of 503."""
        if refused.status is HTTPStatus.SERVICE_UNAVAILABLE:
            refused = Refused(HTTPStatus.INTERNAL_SERVER_ERROR, refused.detail)
        return super().problem(refused)


class DriverTextInAHeader(Front):
    """Reveals the driver's message in a header."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer with the driver's message on one line."""
        response = await super().refuse(request, error)
        response.headers["X-Cause"] = ascii(error)
        return response


def outage_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(front=bundle(OutageAs500, DriverTextInAHeader))


class LostConnectionAs500(Front):
    """Expects a refused connection, but not one that is lost in use."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer 500 to a connection lost in use."""
        if isinstance(error, LOST_IN_USE):
            return self.unforeseen(error)
        return await super().refuse(request, error)


class OwnShapeForConflict(Front):
    """Answers a duplicate key in a format of its own."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer 409 with the right media type and the wrong members."""
        if isinstance(error, asyncpg.UniqueViolationError):
            return JSONResponse(
                {"error": "The key exists already."},
                HTTPStatus.CONFLICT,
                media_type="application/problem+json",
            )
        return await super().refuse(request, error)


class MomentInTheTitle(Front):
    """Names the moment of the error in the title."""

    def problem(self, refused: Refused) -> Response:
        """Answer with a title that no other answer has."""
        response = super().problem(refused)
        members = json.loads(bytes(response.body))
        members["title"] += f" at {time.monotonic()}"
        media_type = str(response.media_type)
        headers = {
            name: value
            for name, value in response.headers.items()
            if name not in {"content-length", "content-type"}
        }
        return JSONResponse(members, response.status_code, headers, media_type)


def lost_connection_bundle() -> Starlette:
    """Create the kiosk with three independent defects."""
    return kiosk(front=bundle(LostConnectionAs500, OwnShapeForConflict, MomentInTheTitle))


class NoRetryAfter(Front):
    """Refuses without a Retry-After."""

    def problem(self, refused: Refused) -> Response:
        """Answer without the header."""
        response = super().problem(refused)
        if "Retry-After" in response.headers:
            del response.headers["Retry-After"]
        return response


class StatementTimeoutAs500(Front):
    """Does not expect the server to enforce the session's own statement_timeout."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer 500 to 57014."""
        if isinstance(error, asyncpg.QueryCanceledError):
            return self.unforeseen(error)
        return await super().refuse(request, error)


class ShortStatementTimeout(Pool):
    """A statement_timeout that ends before the request's deadline."""

    settings = {**SESSION, "statement_timeout": f"{WORK * 500:.0f}"}  # noqa: RUF012


def statement_timeout_bundle() -> Starlette:
    """Create the kiosk with three independent defects; the second needs the short time-out."""
    return kiosk(
        front=bundle(NoRetryAfter, StatementTimeoutAs500),
        pool=ShortStatementTimeout,
        counter=ShorterList,
    )


class UndeterminedCommitAs500(Front):
    """Answers a COMMIT without a reply like a bug of the service."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer 500 if the order's outcome is unknown."""
        if isinstance(error, Undetermined):
            return self.unforeseen(error)
        return await super().refuse(request, error)


class ConflictInServerWords(Front):
    """Answers a conflict with PostgreSQL's message, and with another status in the body."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer 409 with 500 in the body."""
        if not isinstance(error, asyncpg.UniqueViolationError):
            return await super().refuse(request, error)
        response = self.problem(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, str(error)))
        response.status_code = HTTPStatus.CONFLICT
        return response


class OwnShapeForMissingMember(Front):
    """Refuses an order without a customer in a format of its own."""

    async def place(self, request: Request) -> Response:
        """Check for an empty order first."""
        if await request.body() == b"{}":
            return JSONResponse(
                {"missing": ["customer"]},
                HTTPStatus.UNPROCESSABLE_ENTITY,
                media_type="application/problem+json",
            )
        return await super().place(request)


class FullPoolWithoutRetryAfter(Front):
    """Sends no Retry-After when the pool is full."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer the pool's refusals without the header."""
        response = await super().refuse(request, error)
        if isinstance(error, Refused) and "Retry-After" in response.headers:
            del response.headers["Retry-After"]
        return response


def undetermined_commit_bundle() -> Starlette:
    """Create the kiosk with six independent defects, of which the conflict has two."""
    return kiosk(
        front=bundle(
            UndeterminedCommitAs500,
            ConflictInServerWords,
            OwnShapeForMissingMember,
            FullPoolWithoutRetryAfter,
        ),
        counter=ListUpToTheDeadline,
    )
