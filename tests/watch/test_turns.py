"""What a watch hears is judged turn by turn, and each episode when it is over."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from brownout import Answer, Completion, Errors, Health, Operation, Service, ms, seconds
from brownout.report.facts import Verdict
from brownout.report.verdicts import Case, verdicts_by_behaviour
from brownout.trial.clock import Clock
from brownout.watch.docket import Docket
from brownout.watch.marks import Marks, Window
from brownout.watch.turns import Turns
from tests.core.made import READ, answer, no_answer, problem, service

RETRY = {"Retry-After": "1"}
PROBLEM = {"Content-Type": "application/problem+json"}
LIVE, READY = Operation.route("/live"), Operation.route("/ready")
ADDRESS = "10.0.0.5:8000"
HEALTH = Health(live="/live", ready="/ready", period=seconds(1))
PASSES, FAILS = b'{"status": "pass"}', b'{"status": "fail", "database": "down"}'


class Heard:
    """A watch of a service with one read, to which a test tells what came. Its time begins at 0,
    ends now, and nothing is asked for in between but what the test says."""

    def __init__(self, marks: Marks | None = None, settle: float = 0.5, **fields: Any) -> None:
        self.declared: Service = service((READ,), **fields)
        self.docket = Docket(self.declared, strict=False)
        self.now = time.monotonic()
        self.turns = Turns(
            self.declared,
            self.docket,
            marks or Marks(),
            Clock(),
            needing=["list"],
            settle=settle,
            address=ADDRESS,
        )

    def hear(
        self, *answers: Answer, live: Iterable[Answer] = (), ready: Iterable[Answer] = ()
    ) -> None:
        """One turn."""
        self.turns.take(answers, list(live), list(ready))

    def end(self) -> dict[str, Case]:
        """The cases by the name of their test."""
        self.turns.end({})
        cases = self.docket.cases(met=self.turns.met > 0)
        return {case.nodeid.removeprefix("watch::"): case for case in cases}

    def verdicts(self) -> dict[str, str]:
        """The verdicts by promise."""
        found = verdicts_by_behaviour(self.end().values())
        return {one.behaviour: one.verdict.value for one in found}


def refusal(started: float, status: int = 503, title: str = "Unavailable") -> Answer:
    return replace(problem(status, headers=RETRY, title=title), started=started)


def probe(started: float, passes: bool, route: Operation = READY) -> Answer:
    return answer(
        200 if passes else 503,
        body=PASSES if passes else FAILS,
        operation=route,
        started=started,
        headers={"Content-Type": "application/json"},
    )


def ask(ago: float, length: float, every: float = 0.25) -> list[float]:
    """The moments of requests, `ago` seconds before now and for this `length`."""
    first = time.monotonic() - ago
    return [first + number * every for number in range(round(length / every))]


def outage(
    heard: Heard,
    *,
    length: float = 6.0,
    ready: bool = False,
    back: bool | None = True,
    status: int = 503,
) -> None:
    """It failed for this length, 20 s ago; `ready` is what readiness said meanwhile. After that
    requests succeed, and readiness passes; or, where it is not `back`, neither does. None: requests
    succeed, and readiness never passes."""
    heard.hear(
        *(refusal(moment, status) for moment in ask(20, length)),
        live=[probe(moment, True, LIVE) for moment in ask(20, length)],
        ready=[probe(moment, ready) for moment in ask(20, length)],
    )
    after = ask(20 - length, 19 - length)
    heard.hear(
        *(refusal(moment) if back is False else answer(started=moment) for moment in after),
        live=[probe(moment, True, LIVE) for moment in after],
        ready=[probe(moment, back is True) for moment in after],
    )


def marked(length: float) -> Marks:
    """A fault that began 20 s ago and was over after this length."""
    began = time.monotonic() - 20
    return Marks([Window(began, began + length)])


def test_a_service_that_refuses_and_comes_back_keeps_what_is_judged() -> None:
    heard = Heard(marked(5.9))
    outage(heard)
    verdicts = heard.verdicts()
    kept = {promise for promise, verdict in verdicts.items() if verdict == "kept"}
    assert kept == {
        *("E1", "E2", "E3", "E4", "E5", "E6", "H1", "H3", "H4", "H8", "H9", "T1", "V2", "Z1", "Z2"),
    }
    assert set(verdicts.values()) == {"kept", "not assessed"}


def test_where_nothing_failed_nothing_is_kept() -> None:
    heard = Heard()
    heard.hear(answer(started=heard.now), live=[probe(heard.now, True, LIVE)])
    assert set(heard.verdicts().values()) == {"not assessed"}


@pytest.mark.parametrize(
    ("promise", "broken"),
    [
        ("E1", replace(refusal(0), headers=(("Content-Type", "text/html"),))),
        ("E2", answer(503, json={"status": 500}, headers=PROBLEM)),
        ("E4", answer(503, body=b"x", headers=PROBLEM)),
        ("E6", problem(503, headers={"Retry-After": "soon"})),
        ("E10", problem(503)),
        ("T1", answer(elapsed=ms(1101))),
        ("Z1", problem(503, detail="SELECT id FROM orders WHERE id = 1")),
    ],
)
def test_an_answer_that_breaks_a_promise_does_so_whatever_failed(
    promise: str, broken: Answer
) -> None:
    heard = Heard(errors=Errors(origin="origin"))
    moment = heard.now
    witness = answer(started=moment + 0.1)
    heard.hear(replace(broken, started=moment), witness)
    assert heard.verdicts()[promise] == "broken"


@pytest.mark.parametrize(("told", "verdict"), [(ADDRESS, "kept"), ("10.0.0.6:5432", "broken")])
def test_the_address_at_which_it_is_asked_is_no_secret(told: str, verdict: str) -> None:
    heard = Heard()
    said = f"{told} is busy"
    heard.hear(
        replace(problem(503, headers=RETRY, detail=said), started=heard.now),
        ready=[replace(probe(heard.now, False), body=f'{{"status": "{said}"}}'.encode())],
    )
    verdicts = heard.verdicts()
    assert {verdicts["Z1"], verdicts["Z2"]} == {verdict}


def test_a_title_that_changes_is_broken_though_the_other_one_came_in_another_turn() -> None:
    heard = Heard()
    heard.hear(refusal(heard.now, title="No"))
    heard.hear(refusal(heard.now, title="No, at 12:30"))
    assert heard.verdicts()["E3"] == "broken"


@pytest.mark.parametrize(
    ("promise", "live", "ready"),
    [
        ("H1", answer(503, body=FAILS, operation=LIVE), None),
        ("H8", answer(200, body=FAILS, operation=LIVE), None),
        ("Z2", None, answer(503, json={"error": "[Errno 111] Connect call failed"})),
    ],
)
def test_a_health_answer_that_breaks_a_promise_does_so_whatever_failed(
    promise: str, live: Answer | None, ready: Answer | None
) -> None:
    heard = Heard()
    heard.hear(
        live=[replace(live, started=heard.now)] if live else [],
        ready=[replace(ready, operation="/ready", started=heard.now)] if ready else [],
    )
    assert heard.verdicts()[promise] == "broken"


def silent(started: float, operation: Operation) -> Answer:
    return no_answer(Completion.NO_ANSWER, operation=operation, started=started, elapsed=seconds(3))


@pytest.mark.parametrize(
    ("promise", "operation"), [("T1", READ), ("H1", LIVE), ("H5", READY)], ids=["T1", "H1", "H5"]
)
def test_silence_is_held_against_the_service_only_where_it_answered_something_else(
    promise: str, operation: Operation
) -> None:
    def judged(*others: Answer) -> str:
        heard = Heard()
        mute = silent(heard.now - 10, operation)
        mine = {one.name: [mute] if one is operation else [] for one in (READ, LIVE, READY)}
        heard.hear(*mine["list"], *others, live=mine["/live"], ready=mine["/ready"])
        return heard.verdicts()[promise]

    witness = answer(started=time.monotonic() - 9)
    assert judged(witness) == "broken"
    assert judged() == ("not assessed" if promise == "H5" else "unknown")


def test_a_connection_that_is_refused_at_once_keeps_no_caller_waiting() -> None:
    heard = Heard()
    moment = heard.now
    heard.hear(
        no_answer(Completion.CONNECTION_REFUSED, started=moment),
        live=[no_answer(Completion.CONNECTION_REFUSED, operation=LIVE, started=moment)],
    )
    verdicts = heard.verdicts()
    assert verdicts["T1"] == "kept"
    assert verdicts["H1"] == "unknown", "it was restarted, or it ended"


def test_what_waited_for_this_process_is_not_late() -> None:
    heard = Heard()
    late = replace(answer(elapsed=seconds(2), started=heard.now), forgiven=seconds(1))
    heard.hear(late, answer(started=heard.now + 0.1), refusal(heard.now))
    assert heard.verdicts()["T1"] == "kept"


# -- Episodes -------------------------------------------------------------------------------------


def test_a_500_is_broken_where_the_database_was_disturbed() -> None:
    heard = Heard()
    outage(heard, status=500)
    assert heard.verdicts()["E5"] == "broken"


@pytest.mark.parametrize(
    ("marks", "verdict"), [(None, "unknown"), (Marks([Window(0)]), "broken")], ids=["", "marked"]
)
def test_a_500_alone_may_be_any_defect_unless_a_fault_was_marked(
    marks: Marks | None, verdict: str
) -> None:
    heard = Heard(marks)
    moment = heard.now - 5
    heard.hear(refusal(moment, 500), *(answer(started=moment + 1 + each) for each in range(3)))
    assert heard.verdicts()["E5"] == verdict


def test_readiness_that_passes_while_nothing_can_be_served_is_broken() -> None:
    heard = Heard()
    outage(heard, ready=True)
    assert heard.verdicts()["H3"] == "broken"


def test_a_short_time_says_nothing_of_readiness() -> None:
    heard = Heard()
    outage(heard, length=2, ready=True)
    verdicts = heard.verdicts()
    assert verdicts["H3"] == verdicts["H4"] == "not assessed"


def test_readiness_that_stays_away_while_requests_succeed_is_broken() -> None:
    heard = Heard()
    outage(heard, back=None)
    assert heard.verdicts()["H4"] == "broken"


def test_readiness_that_has_not_had_its_time_is_unknown() -> None:
    heard = Heard()
    moments = ask(3, 2)
    heard.hear(*map(refusal, moments), ready=[probe(one, False) for one in moments])
    later = ask(1, 0.75)
    heard.hear(*(answer(started=one) for one in later), ready=[probe(one, False) for one in later])
    assert heard.verdicts()["H4"] == "unknown"


def test_readiness_alone_is_not_judged_by_its_own_return() -> None:
    heard = Heard()
    moments = ask(20, 6)
    heard.hear(ready=[probe(one, False) for one in moments])
    heard.hear(ready=[probe(one, True) for one in ask(10, 3)])
    assert heard.verdicts()["H4"] == "not assessed"


def test_a_fault_that_was_over_before_is_not_the_one_that_failed() -> None:
    """Another one came a while after it, and was not marked."""
    began = time.monotonic() - 30
    heard = Heard(Marks([Window(began, began + 9)]))
    outage(heard)
    assert heard.verdicts()["V2"] == "not assessed"


def test_a_failing_readiness_that_names_nothing_is_broken() -> None:
    heard = Heard()
    bare = answer(503, body=b"no", operation=READY, started=heard.now)
    heard.hear(refusal(heard.now), ready=[bare])
    assert heard.verdicts()["H9"] == "broken"


@pytest.mark.parametrize(
    ("fault", "length", "back", "verdict"),
    [
        (None, 1.5, True, "kept"),
        (None, 6.0, True, "not assessed"),
        (None, 6.0, False, "unknown"),
        (5.0, 6.0, True, "kept"),
        (3.0, 6.0, True, "broken"),
        (5.0, 6.0, False, "broken"),
        (19.9, 6.0, False, "unknown"),
    ],
    ids=[
        *("short", "long", "still failing", "marked"),
        *("marked late", "marked and never", "marked just now"),
    ],
)
def test_the_way_back_is_judged_by_when_the_fault_was_over(
    fault: float | None, length: float, back: bool, verdict: str
) -> None:
    """The recovery time is two seconds."""
    heard = Heard(None if fault is None else marked(fault))
    outage(heard, length=length, back=back)
    assert heard.verdicts()["V2"] == verdict


def test_a_fault_that_is_still_in_force_excuses_a_service_that_is_not_back() -> None:
    heard = Heard(Marks([Window(0)]))
    outage(heard, back=False)
    assert heard.verdicts()["V2"] == "not assessed"


def returns(
    *faults: tuple[float, float | None],
    back: float | None = None,
    ready: float | None = None,
    settle: float = 1.5,
) -> tuple[str, str]:
    """The verdicts on H4 and V2. It failed from 100 s ago until it was `back`, if it ever was, and
    readiness until it was `ready`, by default the same; faults were in force from and until these
    seconds after that. It is to be back within 2 s; readiness is asked for each second."""
    began = time.monotonic() - 100
    windows = [
        Window(began + first, None if last is None else began + last) for first, last in faults
    ]
    heard = Heard(Marks(windows), settle=settle, health=HEALTH)
    served = began + (100 if back is None else back)
    passed = served if ready is None else began + ready
    moments = ask(100, 99.75)
    for turn in (
        [one for one in moments if one < served],
        [one for one in moments if one >= served],
    ):
        heard.hear(
            *(answer(started=one) if one >= served else refusal(one) for one in turn),
            live=[probe(one, True, LIVE) for one in turn],
            ready=[probe(one, one >= passed) for one in turn],
        )
    verdicts = heard.verdicts()
    return verdicts["H4"], verdicts["V2"]


def test_a_later_fault_does_not_excuse_that_it_was_not_back_from_an_earlier_one() -> None:
    assert returns((0, 10), (90, None)) == ("broken", "broken")
    assert returns((0, 10), (98, 99)) == ("broken", "broken")
    assert returns((0, 10), (50, 60), back=61) == ("broken", "broken"), "it took a second fault"
    assert returns((0, 10), (50, 60), (65, 70), back=71) == ("broken", "broken")


def test_readiness_that_was_back_between_two_faults_is_no_breach_of_h4() -> None:
    assert returns((0, 10), (50, 60), back=61, ready=11) == ("kept", "broken")


def test_between_faults_it_has_its_time_to_be_back_and_to_be_seen_so() -> None:
    """That are 2 s, a period of 1 s, the 3 s for which a caller waits, and what it has to stay."""
    assert returns((0, 10), (17.4, 60), back=61) == ("kept", "kept")
    assert returns((0, 10), (17.6, 60), back=61) == ("broken", "broken")
    assert returns((0, 10), (25, 60), back=61, settle=10) == ("kept", "kept")
    assert returns((0, 10), (17.4, None)) == ("not assessed", "not assessed")


def test_an_earlier_fault_that_was_over_before_anything_failed_is_not_judged() -> None:
    assert returns((-30, -5), (0, 10), back=11) == ("kept", "kept")
    assert returns((-30, -5), (5, None)) == ("not assessed", "not assessed")


def test_between_faults_that_overlap_none_was_over() -> None:
    assert returns((0, 10), (5, 60), (70, 71), back=72) == ("broken", "broken")
    assert returns((0, 10), (5, 69), (70, 71), back=72) == ("kept", "kept")


# -- What is kept ---------------------------------------------------------------------------------


def test_memory_is_bounded_however_long_it_fails() -> None:
    heard = Heard()
    for turn in range(60):
        moments = ask(100 - turn, 1, every=0.01)
        heard.hear(*(refusal(one, title="x") for one in moments))
    heard.turns.end({})
    assert heard.turns.counts == {"asked": 6000, "failed": 6000}
    episode, whole = heard.turns.recordings
    assert [len(episode.answers), len(whole.answers)] == [1000, 400]


def test_of_many_episodes_twenty_are_recorded_and_all_are_judged() -> None:
    heard = Heard()
    for turn in range(25):
        moment = heard.now - 1000 + turn * 10
        broken = 500 if turn == 24 else 503
        heard.hear(refusal(moment, broken), answer(started=moment + 1))
        heard.hear(answer(started=moment + 5), ready=[probe(moment + 5, True)])
    cases = heard.end()
    assert heard.turns.met == 25
    assert len(heard.turns.recordings) == 21
    names = [name for name in cases if name.startswith("a_database_that_fails")]
    assert len(names) == 21
    (later,) = cases["a_database_that_fails_is_reported_as_that[watch_later]"].verdicts()
    assert later.verdict is Verdict.UNKNOWN


def test_a_finding_has_the_answer_that_showed_it_first_and_how_often_it_was_seen() -> None:
    heard = Heard()
    for _ in range(3):
        heard.hear(replace(refusal(heard.now), headers=(("Content-Type", "text/html"),)))
    (finding,) = heard.end()["every_error_has_the_declared_media_type"].verdicts()
    assert finding.trouble is not None
    assert finding.trouble.violation is not None
    assert str(finding.trouble.violation.facts["seen"]).startswith("3 times, 20")
    assert finding.trouble.moment is not None
    assert finding.trouble.moment.operation == "list"
    assert str(finding.figure) == "3 of 3 failed"


def strict(*, strict: bool, **fields: Any) -> bool:
    """Whether a 503 without Retry-After, which breaks a *should*, fails the run."""
    declared = service((READ,), **fields)
    docket = Docket(declared, strict=strict)
    turns = Turns(declared, docket, Marks(), Clock(), needing=["list"], settle=0.5, address=ADDRESS)
    turns.take([replace(problem(503), started=time.monotonic())], [], [])
    turns.end({})
    cases: Sequence[Case] = docket.cases(met=True)
    (said,) = [one for one in cases if one.nodeid == "watch::a_refusal_says_when_to_come_back"]
    (finding,) = said.verdicts()
    assert finding.verdict is Verdict.BROKEN
    return not finding.tolerated


def test_a_should_and_a_waiver_are_tolerated() -> None:
    assert not strict(strict=False)
    assert strict(strict=True)
    assert not strict(strict=True, waivers={"E6": "the gateway adds it"})
