"""Maps the driver's exceptions and SQLSTATEs to problems.

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
    "is_retryable",
    "leaves_commit_undetermined",
    "problem_of",
    "sqlstate_of",
]

DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What asyncpg raises. A refused, reset or timed-out connect is an `OSError`. A connection that the
server ended while it was idle raises `InternalClientError` until its end of file arrives."""

UNAVAILABLE: Final = ("08", "28", "53", "57P", "58", "25006", "40001", "40P01", "55P03")
"""Prefixes of the SQLSTATEs that mean "not now": connection and login failures, exhausted
resources, operator intervention, I/O errors of the server, a read-only standby, and conflicts that
retries did not resolve."""

RETRYABLE: Final = ("08", "40001", "40P01", "57P01", "57P02", "0A000", "26000")
"""Prefixes of the SQLSTATEs after which the same transaction may succeed: a lost connection, a
conflict, and an outdated or missing prepared statement."""


class ConnectionLost(Exception):
    """The connection ended while in use, but before COMMIT was sent, so nothing was changed."""


class CommitUndetermined(Exception):
    """COMMIT was sent, and its outcome is unknown."""


def sqlstate_of(error: BaseException | None) -> str | None:
    """Return the SQLSTATE of the error's innermost cause that has one, or None.

    The cause goes first, because a FATAL arrives as the cause of asyncpg's own
    `ConnectionDoesNotExistError`.
    """
    if error is None:
        return None
    own = error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
    return sqlstate_of(error.__cause__) or own


def is_retryable(error: Exception) -> bool:
    """Whether to retry the whole transaction after an error before COMMIT."""
    if isinstance(error, TimeoutError):
        return False
    if isinstance(error, ConnectionLost | ConnectionError):
        return True
    return (sqlstate_of(error) or "").startswith(RETRYABLE)


def leaves_commit_undetermined(error: Exception) -> bool:
    """Whether COMMIT may have taken effect although it raised `error`.

    An ERROR means that the transaction was rolled back, except for the SQLSTATEs that say that the
    server does not know (40003, 08007). After a FATAL or a lost connection, either is possible.
    """
    if isinstance(error, asyncpg.InternalClientError):
        return False  # raised before anything is sent
    if not isinstance(error, asyncpg.PostgresError):
        return True
    return error.severity_en != "ERROR" or error.sqlstate in ("40003", "08007")


def blames_database(error: Exception) -> bool:
    """Whether the database caused the error, rather than the caller or the code.

    A conflict between transactions (class 40) does not count, because the database works.
    """
    if isinstance(error, CommitUndetermined):
        return True
    problem = error if isinstance(error, Problem) else problem_of(error)
    if problem is None or (problem.sqlstate or "").startswith("40"):
        return False
    return problem.kind in (DATABASE_UNAVAILABLE, DEADLINE_EXCEEDED)


def problem_of(error: Exception) -> Problem | None:
    """Return the problem for an error before COMMIT, or None if it is the service's own bug."""
    code = sqlstate_of(error)
    state = code or ""
    if isinstance(error, TimeoutError) or state == "57014":
        return Problem(DEADLINE_EXCEEDED, "No answer within the deadline.", sqlstate=code)
    if isinstance(error, asyncpg.DataError) or state.startswith("22"):
        return Problem(UNACCEPTABLE_VALUE, "A value is not acceptable.", sqlstate=code)
    if state.startswith("23"):
        return Problem(CONFLICT, "It would violate a constraint.", sqlstate=code)
    if isinstance(error, OSError | ConnectionLost) or state.startswith(UNAVAILABLE):
        return Problem(DATABASE_UNAVAILABLE, "Please try again shortly.", sqlstate=code)
    return None
