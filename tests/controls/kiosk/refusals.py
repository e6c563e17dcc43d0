"""The kiosk's refusals, and how the driver's errors map to them."""

from http import HTTPStatus
from typing import Final

import asyncpg

__all__ = ["DRIVER_ERRORS", "Refused", "Undetermined", "meaning"]

LOST: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What asyncpg raises without a usable connection. A refused, reset or timed-out connect is an
`OSError`. A connection that the server ended while it was idle raises `InternalClientError` until
its end of file arrives."""

DRIVER_ERRORS: Final = (asyncpg.PostgresError, *LOST)
"""What asyncpg raises."""

UNAVAILABLE: Final = ("08", "25006", "53", "57P", "55P03", "57014")
"""Prefixes of the SQLSTATEs that mean "not now"."""


class Refused(Exception):
    """Ends a request without success, with an HTTP status and a detail for the caller."""

    def __init__(self, status: HTTPStatus, detail: str, *, sqlstate: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.sqlstate = sqlstate


class Undetermined(Exception):
    """COMMIT was sent, and its outcome is unknown."""


def meaning(error: BaseException) -> Refused | None:
    """Return the refusal for an error of the driver, or None if it is the kiosk's own bug."""
    if isinstance(error, Undetermined):
        return Refused(HTTPStatus.GATEWAY_TIMEOUT, "The order may have been placed.")
    state = error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
    if isinstance(error, TimeoutError):
        return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "No answer in time.")
    if isinstance(error, asyncpg.UniqueViolationError):
        return Refused(HTTPStatus.CONFLICT, "The order exists already.", sqlstate=state)
    if (state or "").startswith("22"):
        detail = "A value cannot be stored."
        return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, detail, sqlstate=state)
    if isinstance(error, LOST) or (state or "").startswith(UNAVAILABLE):
        return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Try again shortly.", sqlstate=state)
    return None
