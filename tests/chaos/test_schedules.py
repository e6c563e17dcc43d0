"""Schedules: their steps, what a try of one shows, and how it is judged and printed."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from brownout import ContractViolation, NotAssessable, SettingsError, ms, seconds
from brownout.errors import BrownoutError
from brownout.expectations import expect_no_schedule_breaks, expect_schedule_survived
from brownout.expectations.chaos import (
    PROMISES_OF_CHAOS,
    assessed_in,
    broken_in,
    needs_another_try,
)
from brownout.faults import (
    LostCommitReply,
)
from brownout.observations import Completion, Recovery
from brownout.trial import Ask, Break, Heal, Schedule, Settle, Wait
from brownout.trial.chaos.schedule import longest_of_schedule
from brownout.trial.chaos.seen import Chaos, ScheduleTry, TriedSchedule
from brownout.trial.invariants import Invariant
from tests.core.made import READ, WRITE, answer, no_answer, problem, recording, service
from tests.core.register_controls import BY_TOKEN, PLACE, found, placed

STEPS = (Ask("place-order", 2), Break(LostCommitReply()), Wait(ms(20)), Settle(), Heal())
DECLARED = service()
A, B, C = "a", "b", "c"
STEADY = Recovery(True, ms(30), ())


def seen(**changes: object) -> ScheduleTry:
    """A try in which nothing was wrong."""
    whole: dict[str, object] = {
        "answers": (
            answer(201, token=A, operation=WRITE),
            replace(problem(503), operation="place", token=B, outcome=WRITE.outcome(503)),
        ),
        "applied": {"a": 1, "b": 0},
        "again": (),
        "applied_again": {},
        "invariants": {},
        "recovery": STEADY,
    }
    return ScheduleTry(**{**whole, **changes})  # type: ignore[arg-type]


def tried(*tries: ScheduleTry) -> TriedSchedule:
    return TriedSchedule(STEPS, tries)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Ask("x", 0), "callers is 0"),
        (lambda: Wait(ms(-1)), "Wait: delay"),
        (lambda: Wait(3), "Wait: delay"),  # type: ignore[arg-type]
        (lambda: Schedule([Heal()]), "a tuple of steps"),  # type: ignore[arg-type]
        (lambda: Schedule((), tries=0), "at least one try"),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        make()


def test_the_longest_counts_each_wait() -> None:
    without = longest_of_schedule((), DECLARED)
    waits = longest_of_schedule((Wait(ms(20)), Wait(ms(30))), DECLARED)
    settles = longest_of_schedule((Settle(),), DECLARED)
    assert waits - without == ms(50)
    assert settles - without == DECLARED.budget.request * 2 + seconds(1)


def test_a_try_in_which_nothing_is_wrong_breaks_nothing() -> None:
    assert broken_in(tried(seen()), DECLARED) == ()


@pytest.mark.parametrize(
    ("promise", "wrong"),
    [
        ("C1", seen(applied={"a": 0, "b": 0})),
        ("C3", seen(applied={"a": 2, "b": 0})),
        ("C4", seen(applied={"a": 1, "b": 1})),
        (
            "C6",
            seen(again=(answer(201, token=C, operation=WRITE),), applied_again={"c": 2}),
        ),
        ("C7", seen(invariants={"place-order": Invariant(("1", "2"), 9)})),
        ("S6", seen(ended="was ended by signal 9 (SIGKILL)", recovery=None)),
        ("V2", seen(recovery=Recovery(False, seconds(3), ("after 3 s: 503",)))),
        ("T1", seen(answers=(answer(201, token=A, elapsed=seconds(2)),))),
        (
            "T1",
            seen(answers=(no_answer(Completion.NO_ANSWER, operation=READ),)),
        ),
        ("P1", seen(sessions=DECLARED.sessions + 1)),
        ("P5", seen(idle=1.5)),
        ("E1", seen(answers=(problem(503, media_type="text/plain"),))),
    ],
)
def test_each_promise_is_judged(promise: str, wrong: ScheduleTry) -> None:
    assert promise in broken_in(tried(wrong, wrong), DECLARED)


def test_a_read_that_goes_back_is_told_of_a_declared_pair() -> None:
    declared = service([PLACE, BY_TOKEN.read])
    forward = seen(answers=(placed(),), applied={"a": 1}, read_back=(found("a", at=9.0),))
    back = replace(forward, read_back=(found(at=9.0),))
    assert broken_in(tried(forward), declared) == ()
    assert broken_in(tried(back), declared) == ("C2",)
    assert "C2" in assessed_in(tried(back), declared)
    assert broken_in(tried(back), DECLARED) == (), "no pair is declared"


def test_a_read_of_a_write_is_not_taken_for_the_write() -> None:
    declared = service([PLACE, BY_TOKEN.read])
    missing = seen(answers=(placed(504), found(at=9.0)), applied={"a": 0})
    assert not {"C1", "C2", "C3", "C4"} & set(broken_in(tried(missing), declared))


@pytest.mark.parametrize("promise", ["T1", "V2", "P1", "P5"])
def test_what_a_busy_machine_may_cause_takes_two_tries_of_three(promise: str) -> None:
    wrong = {
        "T1": seen(answers=(answer(201, token=A, elapsed=seconds(2)),)),
        "V2": seen(recovery=Recovery(False, seconds(3), ())),
        "P1": seen(sessions=99),
        "P5": seen(idle=1.5),
    }[promise]
    assert needs_another_try(tried(wrong), DECLARED)
    assert needs_another_try(tried(wrong, seen()), DECLARED)
    assert not needs_another_try(tried(wrong, wrong), DECLARED)
    assert not needs_another_try(tried(seen()), DECLARED)
    assert broken_in(tried(wrong, seen(), seen()), DECLARED) == ()
    assert broken_in(tried(wrong, seen(), wrong), DECLARED) == (promise,)


def test_a_lost_write_needs_no_second_try() -> None:
    lost = seen(applied={"a": 0, "b": 0})
    assert not needs_another_try(tried(lost), DECLARED)
    assert broken_in(tried(lost, seen(), seen()), DECLARED) == ("C1",)


def test_what_a_try_shows_nothing_of_is_not_assessed() -> None:
    shown = assessed_in(tried(seen()), DECLARED)
    assert {"C1", "C3", "C4", "T1", "V2", "S6"} <= set(shown)
    assert not {"C6", "C7"} & set(shown)
    nothing = seen(answers=(), applied={})
    assert not {"C1", "C3", "C4", "T1", "E1", "Z1"} & set(assessed_in(tried(nothing), DECLARED))


def searched(found: dict[str, TriedSchedule], run: int = 7, **assessed: int) -> Chaos:
    return Chaos(seed=1, run=run, assessed=assessed, found=found)


def test_a_search_that_found_nothing_keeps_what_it_assessed() -> None:
    expect_no_schedule_breaks(recording(chaos=searched({}, C1=3)), "C1")
    with pytest.raises(NotAssessable):
        expect_no_schedule_breaks(recording(chaos=searched({}, C1=3)), "C6")
    with pytest.raises(BrownoutError, match="No schedule was run"):
        expect_no_schedule_breaks(recording(chaos=searched({}, run=0)), "C1")
    with pytest.raises(BrownoutError, match="no schedule to judge"):
        expect_no_schedule_breaks(recording(), "C1")


def test_what_was_found_is_told_with_how_often_it_was_seen_and_as_a_test() -> None:
    lost = seen(applied={"a": 0, "b": 0})
    found = {"C1": tried(lost, seen(), seen())}
    with pytest.raises(ContractViolation) as broken:
        expect_no_schedule_breaks(recording(chaos=searched(found)), "C1")
    violation = broken.value.violation
    assert "seen in 1 of 3 tries of the smallest of 7 schedules, seed 1" in violation.observed
    schedule = str(violation.facts["schedule"])
    assert schedule.startswith("Ask(operation='place-order', callers=2) · Break(fault=LostCommit")
    assert schedule.endswith("Wait(ms(20)) · Settle() · Heal()")
    assert "def test_c1_survives_the_schedule(brownout_record):" in violation.timeline


def test_a_pasted_schedule_is_judged_by_the_promises_it_names() -> None:
    lost = seen(applied={"a": 0, "b": 0})
    pasted = recording(chaos=searched({"": tried(lost)}))
    with pytest.raises(ContractViolation):
        expect_schedule_survived(pasted, "C1")
    with pytest.raises(ContractViolation):
        expect_schedule_survived(pasted)
    expect_schedule_survived(pasted, "C3")
    expect_schedule_survived(recording(chaos=searched({"": tried(seen())})))


def test_every_promise_of_chaos_has_a_test_in_the_suites() -> None:
    suite = (Path(__file__).parents[2] / "suites" / "test_chaos.py").read_text("utf-8")
    judged = re.findall(r'expect_no_schedule_breaks\(brownout_recording, "(\w+)"\)', suite)
    assert sorted(judged) == sorted(PROMISES_OF_CHAOS)
    assert re.findall(r'behaviour\("(\w+)"\)', suite) == judged
