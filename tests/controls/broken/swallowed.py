"""The kiosk, which swallows some errors of the database and not others."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.front import EXPECTED, Front

__all__ = [
    "accepted_without_permission",
    "empty_after_a_time_out_of_the_server",
    "empty_while_starting_up",
    "empty_without_a_table",
    "error_in_a_success",
    "no_content_after_a_reset",
    "stale_while_slow",
]


class EmptyWithout(Front):
    """Lists nothing after some errors."""

    swallowed: tuple[type[Exception], ...] = ()

    async def orders(self, request: Request) -> Response:
        """Return the last orders, or an empty list."""
        try:
            return await super().orders(request)
        except self.swallowed:
            return JSONResponse([])


class EmptyWithoutATable(EmptyWithout):
    """Takes a table that is missing or forbidden for an empty one."""

    swallowed = (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError)


def empty_without_a_table() -> Starlette:
    """Create the kiosk with `EmptyWithoutATable`."""
    return kiosk(front=EmptyWithoutATable)


class EmptyAfterATimeout(EmptyWithout):
    """Takes a query that the server has cancelled for one without rows."""

    swallowed = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)


def empty_after_a_time_out_of_the_server() -> Starlette:
    """Create the kiosk with `EmptyAfterATimeout`."""
    return kiosk(front=EmptyAfterATimeout)


class EmptyWhileStartingUp(EmptyWithout):
    """Lists nothing while the server is starting up."""

    swallowed = (asyncpg.CannotConnectNowError,)


def empty_while_starting_up() -> Starlette:
    """Create the kiosk with `EmptyWhileStartingUp`."""
    return kiosk(front=EmptyWhileStartingUp)


class NoContentAfterAReset(Front):
    """Answers 204 when a connection is reset."""

    async def orders(self, request: Request) -> Response:
        """Return the last orders, or no content."""
        try:
            return await super().orders(request)
        except (ConnectionResetError, asyncpg.ConnectionDoesNotExistError):
            return Response(status_code=204)


def no_content_after_a_reset() -> Starlette:
    """Create the kiosk with `NoContentAfterAReset`."""
    return kiosk(front=NoContentAfterAReset)


class ErrorInASuccess(Front):
    """Answers 200 with an `error` member when a write fails."""

    async def place(self, request: Request) -> Response:
        """Place an order, or say that something went wrong."""
        try:
            return await super().place(request)
        except EXPECTED as error:
            if isinstance(error, (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)):
                raise
            return JSONResponse({"id": None, "error": "please try again"})


def error_in_a_success() -> Starlette:
    """Create the kiosk with `ErrorInASuccess`."""
    return kiosk(front=ErrorInASuccess)


class StaleWhileSlow(Front):
    """Serves the previous list where the database takes longer than a moment, without its age."""

    def __init__(self, counter: Counter) -> None:
        super().__init__(counter)
        self._last: Response | None = None

    async def orders(self, request: Request) -> Response:
        """Return the last orders, or the previous answer."""
        asked: Awaitable[Response] = asyncio.ensure_future(super().orders(request))
        with suppress(TimeoutError):
            self._last = await asyncio.wait_for(asyncio.shield(asked), 0.5)
            return self._last
        return self._last or await asked


def stale_while_slow() -> Starlette:
    """Create the kiosk with `StaleWhileSlow`."""
    return kiosk(front=StaleWhileSlow)


class AcceptedWithoutPermission(Counter):
    """Logs that an order was forbidden, and acknowledges it."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        try:
            return await super().place(until, customer, key)
        except asyncpg.InsufficientPrivilegeError:
            return 0


def accepted_without_permission() -> Starlette:
    """Create the kiosk with `AcceptedWithoutPermission`."""
    return kiosk(counter=AcceptedWithoutPermission)
