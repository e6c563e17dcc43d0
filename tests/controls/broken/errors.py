"""The kiosk with other errors."""

import json
import traceback
from http import HTTPStatus

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.controls.broken.answers import (
    BreaksOff,
    ListUpToTheDeadline,
    OldListUnmarked,
    ShorterList,
)
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.front import Front
from tests.controls.kiosk.pool import SESSION, Pool
from tests.controls.kiosk.refusals import Refused, Undetermined
from tests.controls.kiosk.settings import WORK

__all__ = [
    "html_page_and_old_list",
    "lost_connection_is_a_bug_and_own_conflict",
    "no_retry_after_and_shorter_list",
    "outage_is_a_bug_and_driver_text",
    "plain_json_and_traceback_and_soon",
    "undecided_is_a_bug_and_odd_refusals",
    "wrong_status_and_breaking_off",
]


LOST_IN_USE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    ConnectionResetError,
)
"""What asyncpg raises where a connection ends while it is used."""


class HtmlPage(Front):
    """What nobody foresaw gets a page for people."""

    def unforeseen(self, error: Exception) -> Response:
        """A page."""
        return HTMLResponse(f"<h1>{super().unforeseen(error).status_code} Sorry</h1>", 500)


class EndOfASessionIsABug(Front):
    """A lost connection is foreseen; a server that ends a session in the middle of its work not."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """500 for 57P01, which asyncpg tells as the cause of a lost connection."""
        if isinstance(error.__cause__, asyncpg.AdminShutdownError):
            return self.unforeseen(error)
        return await super().refuse(request, error)


class HtmlPageAndOldList(HtmlPage, EndOfASessionIsABug, OldListUnmarked):
    """Three defects that have nothing to do with each other."""


def html_page_and_old_list() -> Starlette:
    """See `HtmlPage`, `EndOfASessionIsABug` and `OldListUnmarked`."""
    return kiosk(front=HtmlPageAndOldList)


class PlainJson(Front):
    """The right body under the wrong name, except where the framework refuses."""

    def problem(self, refused: Refused) -> Response:
        """RFC 9457 asks for a media type of its own."""
        response = super().problem(refused)
        if refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            response.headers["Content-Type"] = "application/json"
        return response


class RetryAfterSoon(Front):
    """A Retry-After that no client understands."""

    def problem(self, refused: Refused) -> Response:
        """RFC 9110 §10.2.3 knows whole seconds and dates."""
        response = super().problem(refused)
        if "Retry-After" in response.headers:
            response.headers["Retry-After"] = "500ms"
        return response


class TracebackInTheDetail(Front):
    """Debugging aids left in."""

    def unforeseen(self, error: Exception) -> Response:
        """The traceback for everybody."""
        text = "".join(traceback.format_exception(error))
        return self.problem(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, text))


class PlainJsonAndTracebackAndSoon(PlainJson, RetryAfterSoon, TracebackInTheDetail):
    """Three defects that have nothing to do with each other."""


def plain_json_and_traceback_and_soon() -> Starlette:
    """See `PlainJson`, `TracebackInTheDetail` and `RetryAfterSoon`."""
    return kiosk(front=PlainJsonAndTracebackAndSoon)


class WrongStatus(Front):
    """The body says 500 whatever the answer's status is, except where the framework refuses."""

    def problem(self, refused: Refused) -> Response:
        """The answer with another status in its body."""
        response = super().problem(refused)
        if refused.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return response
        body = json.dumps({**json.loads(bytes(response.body)), "status": 500}).encode()
        return Response(
            body, refused.status, {"Retry-After": "1"}, media_type="application/problem+json"
        )


class WrongStatusAndBreakingOff(WrongStatus, BreaksOff):
    """Two defects that have nothing to do with each other."""


def wrong_status_and_breaking_off() -> Starlette:
    """See `WrongStatus` and `BreaksOff`."""
    return kiosk(front=WrongStatusAndBreakingOff)


class OutageIsABug(Front):
    """A database that cannot be used is answered like a fault of the service's own."""

    def problem(self, refused: Refused) -> Response:
        """500 for every 503."""
        if refused.status is HTTPStatus.SERVICE_UNAVAILABLE:
            refused = Refused(HTTPStatus.INTERNAL_SERVER_ERROR, refused.detail)
        return super().problem(refused)


class DriverTextInAHeader(Front):
    """The body says nothing, the header does."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """What the driver said, on one line."""
        response = await super().refuse(request, error)
        response.headers["X-Cause"] = ascii(error)
        return response


class OutageIsABugAndDriverText(OutageIsABug, DriverTextInAHeader):
    """Two defects that have nothing to do with each other."""


def outage_is_a_bug_and_driver_text() -> Starlette:
    """See `OutageIsABug` and `DriverTextInAHeader`."""
    return kiosk(front=OutageIsABugAndDriverText)


class LostConnectionIsABug(Front):
    """A refused connection is foreseen; one that is lost in use is not."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """500 for what asyncpg raises then."""
        if isinstance(error, LOST_IN_USE):
            return self.unforeseen(error)
        return await super().refuse(request, error)


class OwnConflict(Front):
    """A key that is there already is told in a shape of its own."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Under the right media type."""
        if isinstance(error, asyncpg.UniqueViolationError):
            return JSONResponse(
                {"error": "it is there already"},
                HTTPStatus.CONFLICT,
                media_type="application/problem+json",
            )
        return await super().refuse(request, error)


class LostConnectionIsABugAndOwnConflict(LostConnectionIsABug, OwnConflict):
    """Two defects that have nothing to do with each other."""


def lost_connection_is_a_bug_and_own_conflict() -> Starlette:
    """See `LostConnectionIsABug` and `OwnConflict`."""
    return kiosk(front=LostConnectionIsABugAndOwnConflict)


class NoRetryAfter(Front):
    """Refuses, and does not say for how long."""

    def problem(self, refused: Refused) -> Response:
        """The answer without the header."""
        response = super().problem(refused)
        if "Retry-After" in response.headers:
            del response.headers["Retry-After"]
        return response


class OwnTimeoutIsABug(Front):
    """A statement that the server cancels at the session's own time-out was not foreseen."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """500 for 57014."""
        if isinstance(error, asyncpg.QueryCanceledError):
            return self.unforeseen(error)
        return await super().refuse(request, error)


class NoRetryAfterAndOwnTimeout(NoRetryAfter, OwnTimeoutIsABug):
    """Two defects that have nothing to do with each other."""


class ShortStatements(Pool):
    """The server is quicker to give up than the clock is."""

    settings = {**SESSION, "statement_timeout": f"{WORK * 500:.0f}"}  # noqa: RUF012


def no_retry_after_and_shorter_list() -> Starlette:
    """See `NoRetryAfter`, `OwnTimeoutIsABug` and `ShorterList`."""
    return kiosk(front=NoRetryAfterAndOwnTimeout, pool=ShortStatements, counter=ShorterList)


class UndecidedIsABug(Front):
    """A COMMIT that nobody answered is a fault of the service's own."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """500 where nobody knows what became of an order."""
        if isinstance(error, Undetermined):
            return self.unforeseen(error)
        return await super().refuse(request, error)


class TalkativeConflict(Front):
    """A conflict is told in PostgreSQL's words, and with another status inside."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """409, with 500 in its body."""
        if not isinstance(error, asyncpg.UniqueViolationError):
            return await super().refuse(request, error)
        response = self.problem(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, str(error)))
        response.status_code = HTTPStatus.CONFLICT
        return response


class ListOfWhatIsMissing(Front):
    """An order without a customer is refused in a shape of its own."""

    async def place(self, request: Request) -> Response:
        """Look for what is missing first."""
        if await request.body() == b"{}":
            return JSONResponse(
                {"missing": ["customer"]},
                HTTPStatus.UNPROCESSABLE_ENTITY,
                media_type="application/problem+json",
            )
        return await super().place(request)


class FullWithoutRetryAfter(Front):
    """Whoever finds the pool full is not told when to come back."""

    async def refuse(self, request: Request, error: Exception) -> Response:
        """The pool's own refusal, as it is."""
        response = await super().refuse(request, error)
        if isinstance(error, Refused) and "Retry-After" in response.headers:
            del response.headers["Retry-After"]
        return response


class UndecidedIsABugAndOddRefusals(
    UndecidedIsABug, TalkativeConflict, ListOfWhatIsMissing, FullWithoutRetryAfter
):
    """Five defects that have nothing to do with each other."""


def undecided_is_a_bug_and_odd_refusals() -> Starlette:
    """See `UndecidedIsABug`, `TalkativeConflict`, `ListOfWhatIsMissing`, `FullWithoutRetryAfter`
    and `ListUpToTheDeadline`."""
    return kiosk(front=UndecidedIsABugAndOddRefusals, counter=ListUpToTheDeadline)
