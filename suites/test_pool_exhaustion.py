"""Saturation sheds load, keeps to the pool's size, and heals."""

import pytest

from brownout.expectations import (
    expect_all_succeed,
    expect_all_within,
    expect_at_most_sessions,
    expect_cheap_reconnecting,
    expect_cheap_replanning,
    expect_near_baseline,
    expect_no_sessions_left_behind,
    expect_none_idle_in_transaction,
    expect_none_starved,
    expect_recovered,
    expect_unaffected_by_lock,
    expect_unaffected_by_streams,
    expect_unavailable,
    expect_whole_after_failures,
    expect_whole_pool,
)
from brownout.observations import Latencies
from brownout.trial import Recording
from brownout.trial.plan import (
    BAD_VALUE,
    BLACK_HOLE,
    CACHED_PLANS,
    COMMIT_REFUSED,
    CONFLICT,
    CROWD,
    DISK_FULL,
    ENDED_IN_USE,
    FAILED_REQUESTS,
    FAILING_ONCE,
    FULL_POOL,
    HANG_UPS,
    HELD_OPEN,
    LATENCY,
    LOCKED_TABLES,
    LOST_COMMIT,
    MISTAKES,
    NO_FREE_SLOTS,
    ONE_BY_ONE,
    ONE_TABLE_LOCKED,
    QUEUED,
    REFUSED_STATEMENTS,
    REVOKED_PERMISSION,
    STAMPEDE,
    STEADY,
    SWITCHOVER,
    UNDER_SLOW_PROBES,
    WITHOUT_DATABASE,
)


@pytest.mark.behaviour("P1")
@pytest.mark.trials(CROWD, STAMPEDE, UNDER_SLOW_PROBES)
def test_sessions_never_exceed_the_pool(brownout_recording: Recording) -> None:
    """Under load, when every caller reconnects at once, and after requests were given up."""
    expect_recovered(brownout_recording)
    expect_at_most_sessions(
        [look.total for look in brownout_recording.counted], brownout_recording.declared.sessions
    )


@pytest.mark.behaviour("P1")
@pytest.mark.trials(SWITCHOVER, ENDED_IN_USE, LOST_COMMIT)
def test_no_pool_that_was_replaced_is_left_behind(brownout_recording: Recording) -> None:
    """RTO after the server has ended, demoted or left sessions in the middle of their work."""
    expect_no_sessions_left_behind(brownout_recording)


@pytest.mark.behaviour("P2")
@pytest.mark.trials(FULL_POOL)
def test_a_crowd_at_a_full_pool_is_refused_in_time(brownout_recording: Recording) -> None:
    """No caller waits beyond D, and one who gets no connection is refused with 503, or with 429 as
    one too many. One whose wait for the lock has ended may get 504, 409 or 423, and others then
    take its connection."""
    declared, answers = brownout_recording.declared, brownout_recording.note("asked")
    expect_all_within(answers, declared.budget.latest)
    expect_unavailable(
        answers, operations=declared.needing_database(), crowd_at=declared.connections
    )


@pytest.mark.behaviour("P3")
@pytest.mark.trials(HANG_UPS)
def test_the_pool_is_whole_after_callers_went_away(brownout_recording: Recording) -> None:
    """A hundred callers hang up while the database works for them, at one step or another."""
    expect_recovered(brownout_recording)
    (operation,) = brownout_recording.measured()
    (alone,) = brownout_recording.note(f"alone {operation}")
    expect_whole_pool(
        alone,
        brownout_recording.note(f"together {operation}"),
        before=brownout_recording.note(f"before {operation}"),
        connections=brownout_recording.declared.budget.pool,
    )


@pytest.mark.behaviour("P4")
@pytest.mark.trials(FAILED_REQUESTS)
def test_failed_requests_give_their_connections_back(brownout_recording: Recording) -> None:
    """At once, after more failures of each kind than the pool has places."""
    expect_whole_after_failures(brownout_recording)


@pytest.mark.behaviour("P5")
@pytest.mark.trials(
    STEADY, MISTAKES, REVOKED_PERMISSION, LOCKED_TABLES, LATENCY, BLACK_HOLE, CONFLICT, BAD_VALUE,
    DISK_FULL, COMMIT_REFUSED, HANG_UPS, HELD_OPEN, FAILING_ONCE, REFUSED_STATEMENTS,
)  # fmt: skip
def test_no_transaction_is_left_open(brownout_recording: Recording) -> None:
    """Without a fault it is ended with its request; one that met a fault is ended, by its service
    or by its time-out, within D."""
    grace = brownout_recording.declared.budget.request
    expect_none_idle_in_transaction(brownout_recording.settled, longer_than=grace)


@pytest.mark.behaviour("P6")
@pytest.mark.trials(ONE_BY_ONE)
def test_killed_connections_cost_at_most_one_request_each(brownout_recording: Recording) -> None:
    """Asked one after the other and all at once, until each dead connection must have been met. Not
    assessed where a declared breaker may have refused what failed."""
    expect_cheap_reconnecting(brownout_recording)


@pytest.mark.behaviour("P7")
@pytest.mark.trials(CACHED_PLANS)
def test_cached_plans_cost_at_most_one_request_each(brownout_recording: Recording) -> None:
    """After the schema has changed under open connections, and after a restart. Where a request has
    several statements, each of them may cost one after the change: a driver may drop only the plan
    that has failed."""
    expect_cheap_replanning(brownout_recording)


@pytest.mark.behaviour("P8")
@pytest.mark.trials(QUEUED)
def test_no_request_starves_in_the_pool_s_queue(brownout_recording: Recording) -> None:
    """Three callers for each connection wait their turn at a slow database."""
    expect_none_starved(brownout_recording)


@pytest.mark.behaviour("P9")
@pytest.mark.trials(NO_FREE_SLOTS)
def test_too_many_connections_is_a_refusal_that_heals(brownout_recording: Recording) -> None:
    """53300 gives 503; when there are slots again, the service takes them. After a first wave that
    hung there is no second one."""
    recording = brownout_recording
    answers = recording.note("wave 2") or recording.note("wave 1")
    expect_unavailable(answers, operations=recording.operations())
    expect_recovered(brownout_recording)


@pytest.mark.behaviour("P11")
@pytest.mark.trials(ONE_TABLE_LOCKED)
def test_a_locked_table_delays_only_its_own_users(brownout_recording: Recording) -> None:
    """While twice as many requests as connections wait for it."""
    expect_unaffected_by_lock(brownout_recording)


@pytest.mark.behaviour("P10")
@pytest.mark.trials(*WITHOUT_DATABASE)
def test_routes_without_a_database_stay_fast(brownout_recording: Recording) -> None:
    """While callers queue for the database: the first is near its baseline, the others succeed in
    time."""
    declared = brownout_recording.declared
    baseline = brownout_recording.baseline(declared.without_database()[0].name)
    answers = brownout_recording.note("sampled")
    asked = (*answers, *brownout_recording.note("beside"))
    expect_all_succeed(asked)
    expect_all_within(asked, declared.budget.latest)
    expect_near_baseline(
        Latencies.of(answers), baseline, ceiling=baseline.ceiling, what="A route without database"
    )


@pytest.mark.behaviour("P12")
@pytest.mark.trials(HELD_OPEN)
def test_a_waiting_stream_holds_no_connection(brownout_recording: Recording) -> None:
    """With twice as many long answers open as there are connections."""
    expect_unaffected_by_streams(brownout_recording)
