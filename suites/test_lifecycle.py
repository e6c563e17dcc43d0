"""The process starts, drains and stops as an orchestrator needs it, and outlives faults."""

import pytest

from brownout.declaration.needs import readiness
from brownout.expectations import (
    expect_alive_without_database,
    expect_process_alive,
    expect_ready_with_database,
    expect_stopped,
    expect_under_way_finished,
    expect_unready_while_draining,
)
from brownout.trial import Recording
from brownout.trial.plan import REDEPLOYED, WITH_A_FAULT

IN_AN_OUTAGE, IN_A_BLACK_HOLE, _ = REDEPLOYED


@pytest.mark.behaviour("S1")
@pytest.mark.trials(*REDEPLOYED)
def test_it_starts_without_its_database(brownout_recording: Recording) -> None:
    """Alive, not ready, and still running when the database appears; also where a server listens
    that is starting up itself, which is no longer a refused connection to the driver."""
    expect_alive_without_database(brownout_recording)


@pytest.mark.behaviour("S2")
@pytest.mark.trials(*REDEPLOYED)
def test_it_becomes_ready_when_its_database_appears(brownout_recording: Recording) -> None:
    """The same process, within RTO."""
    expect_ready_with_database(brownout_recording)


@pytest.mark.behaviour("S3")
@pytest.mark.trials(IN_AN_OUTAGE)
def test_requests_under_way_at_sigterm_finish(brownout_recording: Recording) -> None:
    """They wait for a lock when the signal comes, and it is released soon after. Those that no
    process had taken from the port's queue by then may be dropped."""
    expect_under_way_finished(brownout_recording)


@pytest.mark.behaviour("S4")
@pytest.mark.trials(IN_A_BLACK_HOLE)
def test_the_process_ends_while_its_database_never_answers(brownout_recording: Recording) -> None:
    """Requests that cannot finish, and connections that cannot be closed in order, hold up no
    stop."""
    expect_stopped(brownout_recording)


@pytest.mark.behaviour("S5", needs=readiness)
@pytest.mark.trials(IN_AN_OUTAGE, IN_A_BLACK_HOLE)
def test_readiness_fails_while_draining(brownout_recording: Recording) -> None:
    """It fails, or connections are refused."""
    expect_unready_while_draining(brownout_recording)


@pytest.mark.behaviour("S6")
@pytest.mark.trials(*WITH_A_FAULT)
def test_no_fault_ends_the_process(brownout_recording: Recording) -> None:
    """Whether it meets requests, idle connections or what the service does by itself; nor all
    workers together, whose supervisor goes on."""
    expect_process_alive(brownout_recording)
