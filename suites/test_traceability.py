"""From the caller's error to the line of the log that explains it."""

import pytest

from brownout.declaration.needs import trace_ids
from brownout.expectations import (
    expect_kept_trace_ids,
    expect_refusals_in_log,
    expect_sqlstate_in_log_only,
    expect_traceable,
)
from brownout.trial import Recording
from brownout.trial.plan import (
    BLACK_HOLE,
    ENDED_IN_USE,
    LOCKED_TABLES,
    LOST_COMMIT,
    NO_FREE_SLOTS,
    OUTAGE,
    REFUSED_STATEMENTS,
    RESET,
    REVOKED_PERMISSION,
    SILENT_COMMIT,
    STARTING_UP,
)


@pytest.mark.behaviour("O1", needs=trace_ids)
@pytest.mark.trials(
    OUTAGE, BLACK_HOLE, RESET, ENDED_IN_USE, NO_FREE_SLOTS, REVOKED_PERMISSION, LOCKED_TABLES,
    STARTING_UP, LOST_COMMIT, SILENT_COMMIT,
)  # fmt: skip
def test_an_error_leads_to_the_log(brownout_recording: Recording) -> None:
    """Its body carries an id that the log holds, too, but for what a logger that samples may leave
    out of many in one second."""
    recording = brownout_recording
    expect_traceable(recording.met(), recording.declared.errors, recording.log)


@pytest.mark.behaviour("O2")
@pytest.mark.trials(OUTAGE, ENDED_IN_USE, REVOKED_PERMISSION)
def test_a_caller_s_trace_id_is_kept(brownout_recording: Recording) -> None:
    """Every second request carries a `traceparent`; its trace id leads to the error, too, with the
    same allowance."""
    expect_kept_trace_ids(brownout_recording.met(), brownout_recording.log)


# Not where a session ends in use: drivers may report the lost connection in the place of 57P01.
@pytest.mark.behaviour("O4")
@pytest.mark.trials(REVOKED_PERMISSION)
def test_the_sqlstate_of_a_statement_is_for_the_log_alone(brownout_recording: Recording) -> None:
    """42501 tells operators what the database said, and callers nothing that they need: no error
    has it, as a text or as a number."""
    expect_sqlstate_in_log_only(
        brownout_recording.met(),
        "42501",
        brownout_recording.log,
        condition="insufficient_privilege",
    )


@pytest.mark.behaviour("O4")
@pytest.mark.trials(REFUSED_STATEMENTS)
def test_the_log_has_the_sqlstates_of_every_operation(brownout_recording: Recording) -> None:
    """A read and a write may each have a handler of its own, and one of them swallows."""
    expect_refusals_in_log(brownout_recording.exchanged_each("refused"))


@pytest.mark.behaviour("O4")
@pytest.mark.trials(STARTING_UP)
def test_the_sqlstate_of_a_refused_connection_is_for_the_log_alone(
    brownout_recording: Recording,
) -> None:
    """57P03, likewise, or the message that comes with it: some drivers have no SQLSTATE then. Not
    assessed where the log has sqlx's time-out alone: its pool tells the service nothing else."""
    expect_sqlstate_in_log_only(
        brownout_recording.met(),
        "57P03",
        brownout_recording.log,
        condition="cannot_connect_now",
        message="the database system is starting up",
    )
