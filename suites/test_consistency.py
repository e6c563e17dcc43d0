"""Acknowledged writes survive, and none is doubled."""

import pytest

from brownout.declaration import Service
from brownout.declaration.needs import invariants, keyed_writes, read_back
from brownout.expectations import (
    expect_acknowledged_applied,
    expect_acknowledged_kept,
    expect_completed_with_key,
    expect_each,
    expect_invariants,
    expect_none_doubled,
    expect_none_goes_back,
    expect_none_made_up,
    expect_none_repeated,
    expect_one_at_a_time,
    expect_refused_absent,
    expect_same_answer,
    expect_undetermined_told,
    expect_used_key_refused,
)
from brownout.trial import Recording
from brownout.trial.plan import (
    BAD_VALUE,
    COMMIT_REFUSED,
    CONFLICT,
    DISK_FULL,
    ENDED_IN_USE,
    EVERY_FAULT,
    FREEZE,
    HANG_UPS,
    LOCKED_TABLES,
    LONG_OUTAGE,
    LOST_COMMIT,
    NO_FREE_SLOTS,
    OUTAGE,
    REFUSED_STATEMENTS,
    REVOKED_PERMISSION,
    SAME_KEY,
    SILENT_COMMIT,
    WRITE_HISTORIES,
)


@pytest.mark.behaviour("C1")
@pytest.mark.trials(WRITE_HISTORIES)
def test_no_acknowledged_write_is_lost(brownout_recording: Recording) -> None:
    """Writers go on while answers are lost, connections die and the server restarts."""
    for operation in brownout_recording.declared.recorded_writes():
        history = brownout_recording.note(f"history {operation.name}")
        expect_acknowledged_applied(history, brownout_recording.applied)


@pytest.mark.behaviour("C1")
@pytest.mark.trials(
    *EVERY_FAULT, BAD_VALUE, DISK_FULL, COMMIT_REFUSED, LOST_COMMIT, SILENT_COMMIT,
    REFUSED_STATEMENTS, LONG_OUTAGE,
)  # fmt: skip
def test_no_write_that_was_acknowledged_under_a_fault_is_lost(
    brownout_recording: Recording,
) -> None:
    """Whichever fault it met, and at whichever step."""
    expect_acknowledged_kept(brownout_recording.recorded_writes(), brownout_recording.applied)


@pytest.mark.behaviour("C1")
@pytest.mark.trials(HANG_UPS)
def test_no_write_is_lost_on_a_connection_whose_caller_went_away(
    brownout_recording: Recording,
) -> None:
    """The next callers get the connections that worked for those who hung up."""
    recorded = brownout_recording.declared.recorded_writes()
    written = [
        one for write in recorded for one in brownout_recording.note(f"written {write.name}")
    ]
    expect_acknowledged_kept(written, brownout_recording.applied)


@pytest.mark.behaviour("C2")
@pytest.mark.trials(WRITE_HISTORIES)
def test_no_read_shows_what_was_never_written(brownout_recording: Recording) -> None:
    """What was rolled back was not written."""
    expect_none_made_up(brownout_recording.shown)


@pytest.mark.behaviour("C2", needs=read_back)
@pytest.mark.trials(WRITE_HISTORIES)
def test_no_read_of_a_write_goes_back_in_time(brownout_recording: Recording) -> None:
    """Each shows what was acknowledged, or what another one has shown."""
    recording = brownout_recording
    histories = {
        pair.read.name: (
            pair,
            recording.note(f"history {pair.write.name}"),
            recording.note(f"read back {pair.write.name}"),
        )
        for pair in read_back(recording.declared)
    }
    expect_each(
        histories,
        lambda one: expect_none_goes_back([one[0]], [*one[1], *one[2]], recording.applied),
    )


@pytest.mark.behaviour("C3")
@pytest.mark.trials(WRITE_HISTORIES)
def test_no_write_is_doubled(brownout_recording: Recording) -> None:
    """A write of unknown fate is asked for again with its key, where it has one."""
    for operation in brownout_recording.declared.recorded_writes():
        history = brownout_recording.note(f"history {operation.name}")
        expect_none_doubled(history, brownout_recording.applied)


@pytest.mark.behaviour("C3")
@pytest.mark.trials(*EVERY_FAULT, COMMIT_REFUSED, LOST_COMMIT, SILENT_COMMIT, LONG_OUTAGE)
def test_no_write_is_doubled_under_a_fault(brownout_recording: Recording) -> None:
    """Each is asked for once, so whatever repeats it is in the service."""
    expect_none_repeated(brownout_recording.recorded_writes(), brownout_recording.applied)


@pytest.mark.behaviour("C4")
@pytest.mark.trials(WRITE_HISTORIES)
def test_no_write_of_a_history_that_was_refused_is_there(brownout_recording: Recording) -> None:
    """Whatever was broken at whichever step of it."""
    recording = brownout_recording
    histories = {
        operation.name: recording.note(f"history {operation.name}")
        for operation in recording.declared.recorded_writes()
    }
    expect_each(histories, lambda history: expect_refused_absent(history, recording.applied))


@pytest.mark.behaviour("C4", needs=Service.recorded_writes)
@pytest.mark.trials(
    OUTAGE, FREEZE, ENDED_IN_USE, NO_FREE_SLOTS, LOCKED_TABLES, REVOKED_PERMISSION, CONFLICT,
    BAD_VALUE, DISK_FULL, COMMIT_REFUSED,
)  # fmt: skip
def test_no_write_that_was_refused_is_there(brownout_recording: Recording) -> None:
    """A 4xx, a 503 or a 429 says that it was not done."""
    expect_refused_absent(brownout_recording.recorded_writes(), brownout_recording.applied)


@pytest.mark.behaviour("C5", needs=Service.recorded_writes)
@pytest.mark.trials(LOST_COMMIT, SILENT_COMMIT)
def test_a_write_of_unknown_fate_is_not_reported_as_not_saved(
    brownout_recording: Recording,
) -> None:
    """Each COMMIT is carried out, and its reply is lost."""
    expect_undetermined_told(brownout_recording.recorded_writes(), brownout_recording.applied)


@pytest.mark.behaviour("C6")
@pytest.mark.trials(SAME_KEY)
def test_the_same_key_gets_the_same_answer(brownout_recording: Recording) -> None:
    """And makes one row."""
    for operation, (first, again) in brownout_recording.noted("first", "again"):
        expect_same_answer(first, again, brownout_recording.applied, operation)


@pytest.mark.behaviour("C6")
@pytest.mark.trials(SAME_KEY)
def test_a_key_is_known_after_a_restart(brownout_recording: Recording) -> None:
    """The same request makes no second row: a deployment is when callers try again."""
    recording = brownout_recording
    noted = {operation.name: answers for operation, answers in recording.noted("restarted")}
    expect_each(noted, lambda answers: expect_none_repeated(answers, recording.applied))


@pytest.mark.behaviour("C6")
@pytest.mark.trials(SAME_KEY)
def test_a_used_key_is_refused_for_another_request(brownout_recording: Recording) -> None:
    """422, and nothing of it is done."""
    recording = brownout_recording
    noted = {operation.name: (operation, others) for operation, others in recording.noted("other")}
    expect_each(noted, lambda one: expect_used_key_refused(one[1], recording.applied, one[0]))


@pytest.mark.behaviour("C6")
@pytest.mark.trials(SAME_KEY)
def test_one_key_at_the_same_time_is_carried_out_once(brownout_recording: Recording) -> None:
    """The other request gets 409, or waits and gets the same answer."""
    for _, pairs in brownout_recording.noted("pairs"):
        expect_one_at_a_time(pairs)


@pytest.mark.behaviour("C6", needs=keyed_writes)
@pytest.mark.trials(WRITE_HISTORIES)
def test_a_key_completes_a_write_that_failed(brownout_recording: Recording) -> None:
    """It is not burnt by the failure: who asks again when all is well is served within RTO."""
    recording = brownout_recording
    noted = {operation.name: answers for operation, answers in recording.noted("asked again")}
    expect_each(
        {name: (recording.note(f"history {name}"), answers) for name, answers in noted.items()},
        lambda one: expect_completed_with_key(*one, recording.declared.budget.recovery),
    )


@pytest.mark.behaviour("C7", needs=invariants)
@pytest.mark.trials(WRITE_HISTORIES)
def test_an_invariant_holds_at_every_moment(brownout_recording: Recording) -> None:
    """Watched around the service, while whatever can break is broken."""
    expect_invariants(brownout_recording.invariants)
