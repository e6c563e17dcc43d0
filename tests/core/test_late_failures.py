"""What fails only at a later statement, or only after a while, is judged by the suites, too."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from brownout import Answer, Breaker, Completion
from brownout.trial import Exchange, Recording, Trial
from brownout.trial.plan import (
    ALWAYS_CUT,
    ALWAYS_ENDED,
    BREAKING,
    LONG_OUTAGE,
    SLOW_ROWS,
    SLOW_STATEMENTS,
)
from brownout.units import ms, seconds
from tests.core.made import READ, TOKEN, WRITE, answer, no_answer, problem, recording, service
from tests.core.suites_on_recordings import verdicts

LATER = pytest.mark.parametrize("trial", [ALWAYS_ENDED, ALWAYS_CUT], ids=lambda one: one.id)
TOO_SLOW = pytest.mark.parametrize("trial", [SLOW_STATEMENTS, *SLOW_ROWS], ids=lambda one: one.id)

OK = answer()
REFUSED = problem(503, headers={"Retry-After": "1"})
TEXT = answer(500, body=b"Internal Server Error", headers={"Content-Type": "text/plain"})
LIMITED = answer(429, body=b"slow down")
STALE = no_answer(Completion.STALE)


def at_once(one: Answer) -> Answer:
    """The answer, while the fault of `recording` is in force."""
    return replace(one, started=103.0)


def wrote(one: Answer, token: str = TOKEN) -> Answer:
    """The same of the write."""
    outcome = WRITE.outcome(one.status or 0)
    return replace(one, operation=WRITE.name, outcome=outcome, token=token)


def failing(trial: Trial, *failed: Answer, plain: Answer = OK) -> Recording:
    """A trial of one request after the other, of which every second one fails, by operation."""
    exchanges: dict[str, list[Exchange]] = {}
    for one in failed:
        told = Exchange((at_once(one),), ())
        exchanges.setdefault(f"failing {one.operation}", []).append(told)
        before = Exchange((replace(plain, operation=one.operation),), ())
        exchanges.setdefault(f"plain {one.operation}", []).append(before)
    every = {name: tuple(made) for name, made in exchanges.items()}
    asked = [one for made in exchanges.values() for each in made for one in each.answers]
    return recording(trial, answers=tuple(asked), exchanges=every)


def asked(trial: Trial, answers: Iterable[Answer]) -> Recording:
    """A trial of waves, in which each write is done."""
    return recording(trial, answers=tuple(map(at_once, (*answers, wrote(answer(201))))))


@LATER
def test_an_error_of_the_last_statement_is_judged(trial: Trial) -> None:
    of_each = ("E1", "E4", "E5", "E6", "Z1")
    kept = dict.fromkeys(of_each, "kept")
    assert verdicts(failing(trial, REFUSED, wrote(REFUSED), STALE), *of_each) == kept
    assert verdicts(failing(trial, OK, REFUSED, OK), *of_each) == kept
    assert verdicts(failing(trial, REFUSED, TEXT), "E1", "E4", "E5") == dict.fromkeys(
        ("E1", "E4", "E5"), "broken"
    )
    assert verdicts(failing(trial, problem(503)), "E5", "E6") == {"E5": "kept", "E6": "broken"}


@LATER
def test_a_write_may_be_undetermined_and_a_read_may_not(trial: Trial) -> None:
    assert verdicts(failing(trial, wrote(problem(504))), "E5") == {"E5": "kept"}
    assert verdicts(failing(trial, problem(504)), "E5") == {"E5": "broken"}


@LATER
def test_load_and_a_connection_that_drops_are_judged(trial: Trial) -> None:
    load = Exchange(tuple(map(at_once, (REFUSED, OK, TEXT))), ())
    seen = failing(trial, REFUSED)
    loaded = replace(seen, exchanges={**seen.exchanges, f"load {READ.name}": (load,)})
    assert verdicts(loaded, "E5") == {"E5": "broken"}
    dropped = no_answer(Completion.DROPPED)
    assert verdicts(failing(trial, dropped), "E1", "E5") == {"E1": "not assessed", "E5": "broken"}


@LATER
def test_what_succeeds_beside_it_says_nothing(trial: Trial) -> None:
    """An optional statement may be left out."""
    none = {"E1": "not assessed", "E4": "not assessed", "E5": "kept", "E6": "not assessed"}
    assert verdicts(failing(trial, OK, OK), *none) == none


@LATER
def test_a_limit_that_so_many_requests_reach_says_nothing(trial: Trial) -> None:
    none = {"E1": "not assessed", "E4": "not assessed", "E5": "not assessed"}
    assert verdicts(failing(trial, LIMITED), *none) == none
    kept = dict.fromkeys(none, "kept")
    assert verdicts(failing(trial, LIMITED, REFUSED), *none) == kept


@LATER
def test_insides_are_found_unless_they_are_the_content(trial: Trial) -> None:
    telling = problem(503, detail="SELECT id FROM orders WHERE id = 1")
    assert verdicts(failing(trial, telling), "Z1") == {"Z1": "broken"}
    content = answer(json={"said": "Connection refused"})
    assert verdicts(failing(trial, REFUSED, content, plain=content), "Z1") == {"Z1": "kept"}
    assert verdicts(failing(trial, REFUSED, content), "Z1") == {"Z1": "broken"}


def test_the_sqlstate_of_a_session_that_ends_is_known() -> None:
    assert ALWAYS_ENDED.sqlstates == ("57P01",)
    telling = problem(503, code="57P01")
    assert verdicts(failing(ALWAYS_ENDED, telling), "Z1") == {"Z1": "broken"}


@TOO_SLOW
def test_time_that_is_over_between_two_statements_is_judged(trial: Trial) -> None:
    of_each = ("E1", "E4", "E5")
    late = problem(504)
    assert verdicts(asked(trial, (OK, late, REFUSED, LIMITED)), *of_each) == dict.fromkeys(
        of_each, "kept"
    )
    assert verdicts(asked(trial, (OK, TEXT)), *of_each) == dict.fromkeys(of_each, "broken")
    assert verdicts(asked(trial, (OK, OK)), "E1") == {"E1": "not assessed"}
    broken_off = (no_answer(Completion.DROPPED),)
    assert verdicts(asked(trial, broken_off), "E1", "E4") == dict.fromkeys(
        ("E1", "E4"), "not assessed"
    )


def test_only_statements_in_a_row_may_wait_for_locks() -> None:
    busy = (wrote(problem(409)), problem(423))
    assert verdicts(asked(SLOW_STATEMENTS, busy), "E5") == {"E5": "kept"}
    assert verdicts(asked(SLOW_ROWS[0], busy), "E5") == {"E5": "broken"}


def in_a_long_outage(*later: Answer, **fields: object) -> Recording:
    """The first requests are refused, the last ones are answered so."""
    first = [REFUSED, wrote(REFUSED)] * 50
    last = [replace(one, started=108.0) for one in later]
    return recording(LONG_OUTAGE, answers=(*map(at_once, first), *last), **fields)


FORMAT = ("E1", "E4", "E6")
DEADLINES = ("T1", "T6")


def test_a_long_outage_of_refusals_is_kept() -> None:
    promises = (*FORMAT, *DEADLINES, "E5", "E9")
    assert verdicts(in_a_long_outage(REFUSED), *promises) == dict.fromkeys(promises, "kept")
    none = {"C1": "not assessed", "C3": "not assessed"}
    assert verdicts(in_a_long_outage(REFUSED), *none) == none


def test_an_answer_that_comes_only_late_in_an_outage_is_judged() -> None:
    """A breaker that opens after a hundred calls, or what a service falls back on then."""
    broken = {"E1": "broken", "E4": "broken", "E5": "broken", "E6": "kept", "E9": "kept"}
    assert verdicts(in_a_long_outage(TEXT), *broken) == broken
    assert verdicts(in_a_long_outage(problem(503)), "E5", "E6") == {"E5": "kept", "E6": "broken"}
    assert verdicts(in_a_long_outage(answer(json=[])), "E9") == {"E9": "broken"}


def test_a_limit_that_a_long_outage_reaches_says_nothing() -> None:
    promises = (*FORMAT, "E5", "E9")
    assert verdicts(in_a_long_outage(LIMITED), *promises) == dict.fromkeys(promises, "kept")


def test_a_pause_that_grows_while_requests_wait_for_it_is_judged() -> None:
    waiting = replace(REFUSED, elapsed=seconds(0.7))
    assert verdicts(in_a_long_outage(waiting), *DEADLINES) == {"T1": "kept", "T6": "broken"}
    for_long = replace(REFUSED, elapsed=seconds(1.9))
    assert verdicts(in_a_long_outage(for_long), *DEADLINES) == {"T1": "broken", "T6": "broken"}


def test_writes_of_a_long_outage_are_counted() -> None:
    done, unknown = wrote(answer(201), "a"), wrote(problem(504), "b")

    def counted(**applied: int) -> dict[str, str]:
        return verdicts(in_a_long_outage(done, unknown, applied=applied), "C1", "C3")

    assert counted(a=1, b=1) == {"C1": "kept", "C3": "kept"}
    assert counted(a=0, b=1) == {"C1": "broken", "C3": "kept"}
    assert counted(a=1, b=2) == {"C1": "kept", "C3": "broken"}


@pytest.mark.parametrize(
    ("told", "verdict"),
    [(REFUSED, "kept"), (OK, "kept"), (STALE, "kept"), (TEXT, "broken"), (LIMITED, "kept")],
    ids=["503", "a fallback", "stale", "500", "429"],
)
def test_what_an_open_breaker_answers_is_judged(told: Answer, verdict: str) -> None:
    seen = recording(
        BREAKING,
        declared=service(breaker=Breaker(failures=100, rest=ms(500))),
        exchanges={"open": (Exchange((REFUSED, told), ()),)},
    )
    assert verdicts(seen, "E5") == {"E5": verdict}
