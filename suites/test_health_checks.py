"""Liveness and readiness tell the truth: alive throughout, ready only when it can serve."""

import pytest

from brownout.declaration.needs import health_route, liveness, readiness
from brownout.expectations import (
    expect_agreeing_health,
    expect_all_succeed,
    expect_all_within,
    expect_at_most_sessions,
    expect_failing_component_named,
    expect_health_routes,
    expect_near_baseline,
    expect_no_flapping,
    expect_no_leak,
    expect_process_alive,
    expect_ready_again,
    expect_unready,
)
from brownout.observations import Latencies
from brownout.trial import Recording
from brownout.trial.plan import (
    BLACK_HOLE,
    BLACK_HOLE_TO_SERVICE,
    CRASH,
    EVERY_FAULT,
    FREEZE,
    FULL_POOL,
    LATENCY,
    LIVENESS_IN_A_BLACK_HOLE,
    LOCKED_TABLES,
    LONG_OUTAGE,
    NO_FREE_SLOTS,
    OUTAGE,
    PROBE_CROWD,
    RESTART,
    STARTING_UP,
    STEADY,
)


@pytest.mark.behaviour("H0")
@pytest.mark.trials(STEADY)
def test_there_is_a_liveness_and_a_readiness_route(brownout_recording: Recording) -> None:
    """Both are declared and answer 2xx while all is well, as a declared start-up route does."""
    recording, health = brownout_recording, brownout_recording.declared.health
    startup = [] if health.startup is None else [recording.note("startup")]
    expect_health_routes(health, recording.liveness, recording.readiness, *startup)


@pytest.mark.behaviour("H1", needs=liveness)
@pytest.mark.trials(*EVERY_FAULT, LONG_OUTAGE)
def test_liveness_answers_throughout(brownout_recording: Recording) -> None:
    """A restart would not bring the database back, so liveness must not ask for one."""
    expect_all_succeed(brownout_recording.under_fault(brownout_recording.liveness))


@pytest.mark.behaviour("H2")
@pytest.mark.trials(LIVENESS_IN_A_BLACK_HOLE)
def test_liveness_is_fast_under_fault_and_load(brownout_recording: Recording) -> None:
    """p99 within a probe's time-out while callers queue for a database that never answers."""
    asked = brownout_recording.note("sampled")
    limit = brownout_recording.declared.health.timeout
    expect_all_succeed(asked)
    expect_near_baseline(Latencies.of(asked), ceiling=limit, what="Liveness")


@pytest.mark.behaviour("H3", needs=readiness)
@pytest.mark.trials(OUTAGE, LONG_OUTAGE, BLACK_HOLE, BLACK_HOLE_TO_SERVICE, FREEZE, STARTING_UP)
def test_readiness_fails_without_the_database(brownout_recording: Recording) -> None:
    """As often in a row as an orchestrator asks for, within as many of its periods, and for as long
    as the fault lasts."""
    expect_unready(brownout_recording)


@pytest.mark.behaviour("H4", needs=readiness)
@pytest.mark.trials(
    OUTAGE, LONG_OUTAGE, BLACK_HOLE, FREEZE, NO_FREE_SLOTS, RESTART, CRASH, STARTING_UP
)
def test_readiness_comes_back(brownout_recording: Recording) -> None:
    """Within RTO of the heal, in the same process, and for good."""
    expect_ready_again(brownout_recording)
    assert brownout_recording.same_process


@pytest.mark.behaviour("H5", needs=readiness)
@pytest.mark.trials(BLACK_HOLE, BLACK_HOLE_TO_SERVICE, LATENCY, LOCKED_TABLES)
def test_readiness_answers_when_the_database_never_does(brownout_recording: Recording) -> None:
    """Within a probe's time-out, whatever the answer; a lock counts, too, if the probe waits for
    it."""
    recording = brownout_recording
    expect_all_within(recording.under_fault(recording.readiness), recording.declared.health.timeout)


@pytest.mark.behaviour("H6", needs=readiness)
@pytest.mark.trials(OUTAGE, LONG_OUTAGE, BLACK_HOLE)
def test_readiness_does_not_flap(brownout_recording: Recording) -> None:
    """It fails once, for as long as the fault lasts, and passes again once."""
    expect_no_flapping(brownout_recording)


@pytest.mark.behaviour("H7", needs=liveness)
@pytest.mark.trials(FULL_POOL)
def test_a_full_pool_fails_neither_liveness_nor_the_process(
    brownout_recording: Recording,
) -> None:
    """Every connection waits for a lock, and ten times as many requests wait for a connection."""
    expect_process_alive(brownout_recording)
    expect_all_succeed(brownout_recording.under_fault(brownout_recording.liveness))


@pytest.mark.behaviour("H8", needs=health_route)
@pytest.mark.trials(*EVERY_FAULT, LONG_OUTAGE)
def test_a_health_answer_says_what_its_status_says(brownout_recording: Recording) -> None:
    """Liveness and readiness, under the fault and after it."""
    expect_agreeing_health((*brownout_recording.liveness, *brownout_recording.readiness))


@pytest.mark.behaviour("H9", needs=readiness)
@pytest.mark.trials(OUTAGE, BLACK_HOLE)
def test_readiness_names_the_component_that_fails(brownout_recording: Recording) -> None:
    """The database; and it tells nothing of those that pass."""
    expect_failing_component_named(brownout_recording.readiness)


@pytest.mark.behaviour("Z2", needs=health_route)
@pytest.mark.trials(*EVERY_FAULT, LONG_OUTAGE)
def test_no_health_answer_gives_the_insides_away(brownout_recording: Recording) -> None:
    """Whether it passes or fails: no traceback, path, SQL, text of the driver, host or DSN."""
    recording = brownout_recording
    answers = (*recording.liveness, *recording.readiness)
    expect_no_leak(answers, sqlstates=recording.trial.sqlstates, own=recording.address)


@pytest.mark.behaviour("H10")
@pytest.mark.trials(PROBE_CROWD)
def test_a_crowd_of_probes_opens_no_connections(brownout_recording: Recording) -> None:
    """Fifty at once hold no more than the pools and the declared connections of the probes."""
    expect_at_most_sessions(
        [look.total for look in brownout_recording.counted], brownout_recording.declared.sessions
    )
