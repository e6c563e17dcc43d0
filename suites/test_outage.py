"""An outage is a fast and honest refusal."""

import pytest

from brownout.expectations import (
    expect_all_within,
    expect_each,
    expect_honest_statuses,
    expect_none_succeed,
)
from brownout.trial import Recording
from brownout.trial.plan import (
    ALWAYS_CUT,
    ALWAYS_ENDED,
    BLACK_HOLE,
    BLACK_HOLE_TO_SERVICE,
    BREAKING,
    CRASH,
    CUT,
    ENDED_IN_USE,
    FREEZE,
    LATENCY,
    LOCKED_TABLES,
    LONG_OUTAGE,
    LOST_COMMIT,
    OUTAGE,
    REFUSED_STATEMENTS,
    RESET,
    RESTART,
    SILENT_COMMIT,
    SLOW_ROWS,
    SLOW_STATEMENTS,
    STARTING_UP,
    TERMINATED_BACKENDS,
)


@pytest.mark.behaviour("T6")
@pytest.mark.trials(OUTAGE, LONG_OUTAGE)
def test_a_refused_connection_fails_fast(brownout_recording: Recording) -> None:
    """A closed port is known at once; the caller need not wait for D, however long the pauses have
    become after which a pool tries to connect again. A pool that says so only when its acquire
    time-out ends (HikariCP, psycopg_pool, sqlx, Ecto) has half of D for that."""
    expect_all_within(brownout_recording.during(), brownout_recording.declared.budget.soon)


@pytest.mark.behaviour("E5")
@pytest.mark.trials(
    OUTAGE, LONG_OUTAGE, RESET, CUT, TERMINATED_BACKENDS, RESTART, CRASH, ENDED_IN_USE, STARTING_UP,
    LOST_COMMIT,
)  # fmt: skip
def test_a_database_that_is_gone_is_reported_as_unavailable(
    brownout_recording: Recording,
) -> None:
    """503, or 504 for a write whose COMMIT may have happened; never 500."""
    asked = {one.name: (answers, one) for one, answers in brownout_recording.by_operation()}
    expect_each(asked, lambda one: expect_honest_statuses(*one, gone=True))


@pytest.mark.behaviour("E5")
@pytest.mark.trials(ALWAYS_ENDED, ALWAYS_CUT)
def test_a_database_that_is_gone_at_a_later_statement_is_reported_as_unavailable(
    brownout_recording: Recording,
) -> None:
    """The last one that writes, or the last: one that counts the pages, say, or that is sent while
    the answer is made."""
    answered = brownout_recording.answered_each("failing", "load")
    asked = {one.name: (answers, one) for one, answers in answered}
    expect_each(asked, lambda one: expect_honest_statuses(*one, gone=True))


@pytest.mark.behaviour("E5")
@pytest.mark.trials(BREAKING)
def test_an_open_breaker_reports_the_database_as_unavailable(
    brownout_recording: Recording,
) -> None:
    """503, as if the request had met the database; never 500."""
    operation = brownout_recording.declared.reads()[0]
    expect_honest_statuses(brownout_recording.answered("open"), operation, gone=True)


@pytest.mark.behaviour("E5")
@pytest.mark.trials(BLACK_HOLE, BLACK_HOLE_TO_SERVICE, FREEZE, LATENCY, SILENT_COMMIT, *SLOW_ROWS)
def test_a_database_that_never_answers_is_reported_as_too_slow(
    brownout_recording: Recording,
) -> None:
    """503 or 504; never 500."""
    asked = {one.name: (answers, one) for one, answers in brownout_recording.by_operation()}
    expect_each(asked, lambda one: expect_honest_statuses(*one, gone=False))


@pytest.mark.behaviour("E5")
@pytest.mark.trials(LOCKED_TABLES)
def test_a_table_that_is_locked_is_reported_as_busy(brownout_recording: Recording) -> None:
    """503 or 504, or 409 or 423: another one holds the lock; never 500."""
    asked = {one.name: (answers, one) for one, answers in brownout_recording.by_operation()}
    expect_each(asked, lambda one: expect_honest_statuses(*one, gone=False, locked=True))


@pytest.mark.behaviour("E5")
@pytest.mark.trials(SLOW_STATEMENTS)
def test_statements_that_take_too_long_together_are_reported_as_too_slow(
    brownout_recording: Recording,
) -> None:
    """503 or 504, or 409 or 423: a transaction that takes so long holds its locks, and others wait
    for them; never 500."""
    asked = {one.name: (answers, one) for one, answers in brownout_recording.by_operation()}
    expect_each(asked, lambda one: expect_honest_statuses(*one, gone=False, locked=True))


@pytest.mark.behaviour("E9")
@pytest.mark.trials(OUTAGE, LONG_OUTAGE, BLACK_HOLE, BLACK_HOLE_TO_SERVICE, FREEZE, RESET)
def test_nothing_succeeds_without_the_database(brownout_recording: Recording) -> None:
    """No empty list, no made-up answer, no promise to do it later. A 2xx with GraphQL's errors and
    no data says that it failed."""
    expect_none_succeed(brownout_recording.during())


@pytest.mark.behaviour("E9")
@pytest.mark.trials(STARTING_UP)
def test_nothing_succeeds_while_the_server_refuses_connections(
    brownout_recording: Recording,
) -> None:
    """Sessions that were open have ended by the second wave."""
    expect_none_succeed(brownout_recording.note("wave 2"))


@pytest.mark.behaviour("E9")
@pytest.mark.trials(REFUSED_STATEMENTS)
def test_nothing_succeeds_whose_statements_are_refused(brownout_recording: Recording) -> None:
    """Whatever the server says: no permission, no table, no space, no time."""
    noted = brownout_recording.noted("refused")
    expect_each({operation.name: answers for operation, answers in noted}, expect_none_succeed)


@pytest.mark.behaviour("E9")
@pytest.mark.trials(LATENCY)
def test_nothing_succeeds_sooner_than_the_database_answers(brownout_recording: Recording) -> None:
    """Each of its answers comes 2 D late."""
    late = brownout_recording.declared.budget.request * 2
    expect_none_succeed(brownout_recording.during(), sooner_than=late)
