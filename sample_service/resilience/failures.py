"""What an exception of the driver means: one table from SQLSTATE to problem.

Sources: PostgreSQL's manual, Appendix A (error codes); asyncpg's exception tree.
"""

from typing import Final

import asyncpg

from sample_service.problems import (
    CONFLICT,
    DATABASE_UNAVAILABLE,
    DEADLINE_EXCEEDED,
    UNACCEPTABLE_VALUE,
    Problem,
)

__all__ = [
    "DRIVER_ERRORS",
    "CommitUndetermined",
    "ConnectionLost",
    "blames_database",
    "may_succeed_again",
    "means",
    "sqlstate_of",
    "undetermined",
]

DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What asyncpg raises. A refused, reset or timed-out connect is an `OSError`; a connection that was
idle when the server ended it raises `InternalClientError` until its end of file was seen."""

UNAVAILABLE: Final = ("08", "28", "53", "57P", "58", "25006", "40001", "40P01", "55P03")
"""Prefixes of the SQLSTATEs that say "not now": the connection, the login, resources, an operator's
intervention, the server's own files, a standby, and conflicts that a retry did not solve."""

RETRYABLE: Final = ("08", "40001", "40P01", "57P01", "57P02", "0A000", "26000")
"""Prefixes of the SQLSTATEs after which the same transaction may succeed: a lost connection, a
conflict, and a cached plan that the schema or the server outgrew."""


class ConnectionLost(Exception):
    """The connection ended while it was in use; before COMMIT was sent, so nothing was done."""


class CommitUndetermined(Exception):
    """COMMIT was sent, and nobody knows whether it was done."""


def sqlstate_of(error: BaseException | None) -> str | None:
    """The SQLSTATE of the error, or of what caused it; None where the server said nothing.

    A FATAL arrives as the cause of asyncpg's own `ConnectionDoesNotExistError`: the cause goes
    first.
    """
    if error is None:
        return None
    own = error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
    return sqlstate_of(error.__cause__) or own


def may_succeed_again(error: Exception) -> bool:
    """Whether the whole transaction is worth a second try, after an error from before COMMIT."""
    if isinstance(error, TimeoutError):
        return False
    if isinstance(error, ConnectionLost | ConnectionError):
        return True
    return (sqlstate_of(error) or "").startswith(RETRYABLE)


def undetermined(error: Exception) -> bool:
    """Whether COMMIT may have been done although it raised `error`.

    An ERROR is the server's word that the transaction was rolled back, except where it says that it
    does not know (40003, 08007). A FATAL or a lost connection says nothing about the transaction.
    """
    if isinstance(error, asyncpg.InternalClientError):
        return False  # raised before anything is sent
    if not isinstance(error, asyncpg.PostgresError):
        return True
    return error.severity_en != "ERROR" or error.sqlstate in ("40003", "08007")


def blames_database(error: Exception) -> bool:
    """Whether the error says that the database is in trouble, rather than the caller or the code.

    A conflict between transactions (class 40) says that it works.
    """
    if isinstance(error, CommitUndetermined):
        return True
    problem = error if isinstance(error, Problem) else means(error)
    if problem is None or (problem.sqlstate or "").startswith("40"):
        return False
    return problem.kind in (DATABASE_UNAVAILABLE, DEADLINE_EXCEEDED)


def means(error: Exception) -> Problem | None:
    """The problem that an exception from before COMMIT amounts to; None where we are at fault."""
    code = sqlstate_of(error)
    state = code or ""
    if isinstance(error, TimeoutError) or state == "57014":
        return Problem(DEADLINE_EXCEEDED, "No answer within the deadline.", sqlstate=code)
    if isinstance(error, asyncpg.DataError) or state.startswith("22"):
        return Problem(UNACCEPTABLE_VALUE, "A value is outside of its range.", sqlstate=code)
    if state.startswith("23"):
        return Problem(CONFLICT, "A rule of the stored data forbids it.", sqlstate=code)
    if isinstance(error, OSError | ConnectionLost) or state.startswith(UNAVAILABLE):
        return Problem(DATABASE_UNAVAILABLE, "Please try again shortly.", sqlstate=code)
    return None
