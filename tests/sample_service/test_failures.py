"""Which problem each of the driver's exceptions becomes, and which errors are retried."""

import asyncpg
import pytest
from asyncpg.exceptions import PostgresError

from sample_service.problems import (
    CONFLICT,
    DATABASE_UNAVAILABLE,
    DEADLINE_EXCEEDED,
    UNACCEPTABLE_VALUE,
    ProblemType,
)
from sample_service.resilience.budget import RetryBudget
from sample_service.resilience.failures import (
    ConnectionLost,
    is_retryable,
    leaves_commit_undetermined,
    problem_of,
)


def server_says(sqlstate: str, severity: str = "ERROR") -> PostgresError:
    """Return the exception that asyncpg raises for an ErrorResponse with these fields."""
    error: PostgresError = PostgresError.new(
        {"C": sqlstate, "S": severity, "V": severity, "M": "as the server words it"}
    )
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError(), DATABASE_UNAVAILABLE),
        (ConnectionLost(), DATABASE_UNAVAILABLE),
        (server_says("08006"), DATABASE_UNAVAILABLE),
        (server_says("28P01", "FATAL"), DATABASE_UNAVAILABLE),
        (server_says("53300", "FATAL"), DATABASE_UNAVAILABLE),
        (server_says("57P01", "FATAL"), DATABASE_UNAVAILABLE),
        (server_says("57P03", "FATAL"), DATABASE_UNAVAILABLE),
        (server_says("25006"), DATABASE_UNAVAILABLE),
        (server_says("40001"), DATABASE_UNAVAILABLE),
        (TimeoutError(), DEADLINE_EXCEEDED),
        (server_says("57014"), DEADLINE_EXCEEDED),
        (server_says("23505"), CONFLICT),
        (server_says("22003"), UNACCEPTABLE_VALUE),
        (asyncpg.DataError("not a number"), UNACCEPTABLE_VALUE),
        (server_says("42501"), None),
        (server_says("42P01"), None),
        (asyncpg.InterfaceError("the server expects 1 argument"), None),
    ],
    ids=str,
)
def test_an_exception_becomes_one_problem_or_is_a_bug(
    error: Exception, kind: ProblemType | None
) -> None:
    problem = problem_of(error)
    assert (problem and problem.kind) is kind


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "57P01", "08006", "0A000"])
def test_a_transient_error_is_retryable(sqlstate: str) -> None:
    assert is_retryable(server_says(sqlstate))


@pytest.mark.parametrize("sqlstate", ["22003", "23505", "42501", "53300", "57014"])
def test_an_error_that_would_repeat_is_not_retryable(sqlstate: str) -> None:
    assert not is_retryable(server_says(sqlstate))


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (server_says("40001"), False),
        (server_says("23505"), False),
        (server_says("40003"), True),
        (server_says("57P01", "FATAL"), True),
        (asyncpg.ConnectionDoesNotExistError("gone"), True),
        (ConnectionResetError(), True),
    ],
    ids=str,
)
def test_a_failed_commit_is_undetermined_unless_the_server_refused_it(
    error: Exception, unknown: bool
) -> None:
    assert leaves_commit_undetermined(error) is unknown


def test_retries_add_at_most_their_share_of_load() -> None:
    budget = RetryBudget(ratio=0.1, reserve=5)
    granted = 0
    for _ in range(1000):
        budget.earn()
        granted += budget.spend()
    assert granted <= 5 + 100
