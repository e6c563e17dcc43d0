"""The plan has a trial for each kind of fault, and asks what can meet it."""

from brownout import Kind
from brownout.faults import LostCommitReply, RefusedAuthentication, ServerError
from brownout.trial import Trial
from brownout.trial.plan import (
    BAD_VALUE,
    COMMIT_REFUSED,
    CONFLICT,
    CRASH,
    DISK_FULL,
    ENDED_IN_USE,
    EVERY_FAULT,
    LOST_COMMIT,
    RESTART,
    SILENT_COMMIT,
    STARTING_UP,
    TERMINATED_BACKENDS,
    WRITES_MEET,
)
from tests.trial.test_model import trials


def test_every_fault_is_one_of_its_kind_met_by_every_operation() -> None:
    assert all(trial.fault is not None for trial in EVERY_FAULT)
    may_miss = [trial for trial in EVERY_FAULT if not trial.must_be_felt]
    assert may_miss == [TERMINATED_BACKENDS, RESTART, CRASH], "of idle sessions, not all keep any"
    assert all(trial.ask is None and trial.script is None for trial in EVERY_FAULT)
    faults = [trial.fault for trial in EVERY_FAULT]
    assert len(faults) == len({repr(fault) for fault in faults})


def test_what_only_writes_meet_is_asked_of_writes_and_may_meet_none() -> None:
    assert WRITES_MEET == (
        CONFLICT, BAD_VALUE, DISK_FULL, COMMIT_REFUSED, LOST_COMMIT, SILENT_COMMIT
    )  # fmt: skip
    assert all(trial.ask is Kind.WRITE and not trial.must_be_felt for trial in WRITES_MEET)
    assert not set(WRITES_MEET) & set(EVERY_FAULT)


def test_postgresql_s_own_texts_are_injected() -> None:
    def fault(trial: Trial) -> ServerError | RefusedAuthentication:
        assert isinstance(trial.fault, ServerError | RefusedAuthentication)
        return trial.fault

    assert fault(ENDED_IN_USE).sqlstate == "57P01"
    assert fault(STARTING_UP).sqlstate == "57P03"
    assert fault(CONFLICT).sqlstate == "23505"
    assert fault(BAD_VALUE).sqlstate == "22001"
    assert fault(DISK_FULL).sqlstate == "53100"
    assert fault(COMMIT_REFUSED).sqlstate == "40001"
    texts = [fault(one).message for one in (ENDED_IN_USE, STARTING_UP, CONFLICT, BAD_VALUE)]
    assert texts == [
        "terminating connection due to administrator command",
        "the database system is starting up",
        'duplicate key value violates unique constraint "brownout_key"',
        "value too long for type character varying(40)",
    ]
    assert isinstance(LOST_COMMIT.fault, LostCommitReply)


def test_whoever_compares_times_runs_alone() -> None:
    alone = {trial.id for trial in trials() if trial.alone}
    assert alone == {
        "liveness_in_a_black_hole",
        "without_database_slow",
        "without_database_gone",
        "without_database_silent",
        "event_loop_liveness",
        "event_loop_without_database",
        "side_by_side",
        "back_at_baseline",
        "heavy_route",
        "overload",
        "queued",
    }
