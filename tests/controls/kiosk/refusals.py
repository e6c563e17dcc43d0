"""Every way in which the kiosk says no, and what the driver's errors mean."""

from http import HTTPStatus
from typing import Final

import asyncpg

__all__ = ["DRIVER_ERRORS", "Refused", "Undetermined", "meaning"]

LOST: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What asyncpg raises where there is no connection. A refused, reset or timed-out connect is an
`OSError`; one that met a FATAL while idle, and not yet its end, an `InternalClientError`."""

DRIVER_ERRORS: Final = (asyncpg.PostgresError, *LOST)
"""What asyncpg raises."""

UNAVAILABLE: Final = ("08", "53", "57P", "55P03", "57014")
"""Prefixes of the SQLSTATEs that say "not now"."""


class Refused(Exception):
    """A request ends without success: an HTTP status, and what its caller is told."""

    def __init__(self, status: HTTPStatus, detail: str, *, sqlstate: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.sqlstate = sqlstate


class Undetermined(Exception):
    """COMMIT was sent, and nobody knows whether it was done."""


def meaning(error: BaseException) -> Refused | None:
    """What an error of the driver means to the caller; None where the kiosk itself is at fault."""
    if isinstance(error, Undetermined):
        return Refused(HTTPStatus.GATEWAY_TIMEOUT, "The order may have been placed.")
    state = error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
    if isinstance(error, TimeoutError):
        return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "No answer in time.")
    if isinstance(error, LOST) or (state or "").startswith(UNAVAILABLE):
        return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Try again shortly.", sqlstate=state)
    return None
