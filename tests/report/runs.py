"""Documents and recordings of made-up runs, built as a real run builds them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from brownout import Completion
from brownout.behaviours import CATALOGUE
from brownout.errors import Violation
from brownout.figures import Figure
from brownout.observations import Recovery
from brownout.report.document import document
from brownout.report.facts import Finding, Trouble, Verdict
from brownout.report.verdicts import Case, exit_code, verdicts_by_behaviour
from brownout.trial.gaps import Gap
from brownout.trial.recording import SessionLook
from tests.controls.control import ids
from tests.core.made import WRITE, answer, injected, no_answer, problem, recording

__all__ = ["HOSTILE", "Run", "case", "hostile_run", "large_run", "mixed_run", "recorded", "run_of"]

Run = tuple[dict[str, Any], dict[str, dict[str, Any]]]
"""A run's document, and its recordings by trial."""

HOSTILE = (
    "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 2'>"
    "\"'><svg onload=window.ran=3></style>{{ 7 * 7 }}\x1b[31m\u202e\x00"
)
"""What a service may say to have something done in the page."""

_BUDGET = {
    "request_seconds": 1.0,
    "recovery_seconds": 2.0,
    "pool": 3,
    "concurrency": None,
    "grace_seconds": None,
}


def case(
    behaviour: str,
    trial: str,
    verdict: Verdict = Verdict.KEPT,
    *,
    said: str = "2 of 9 violated this",
    tolerated: bool = False,
    facts: Mapping[str, object] | None = None,
) -> Case:
    """A test of the suites that judged one promise on one trial."""
    trouble = None
    if verdict is Verdict.BROKEN:
        violation = Violation(
            "Requests end in time.", "at most 1 s", said, {"answer": said}, (said, "+0.1 s: 503")
        )
        trouble = Trouble(verdict, "ContractViolation", violation.headline, violation)
    elif verdict is not Verdict.KEPT:
        trouble = Trouble(verdict, "BackendUnavailable", said)
    figure = Figure.failed(2 if verdict is Verdict.BROKEN else 0, 9)
    return Case(
        f"suites/test_it.py::test_{behaviour.lower()}[{trial}]",
        [behaviour],
        [Finding(behaviour, verdict, trouble, tolerated, figure=figure)],
        troubles=[trouble] if trouble else [],
        reproduce=f"brownout gate --only {behaviour}/{trial}" if trouble else "",
        duration=timedelta(seconds=1),
        facts={
            "trial": trial,
            "seconds": 20.0,
            "injections": [{"fault": "Outage()", "felt": 3}],
            "recovered_after_seconds": 0.5,
            **(facts or {}),
        },
    )


def run_of(cases: Iterable[Case], recordings: Mapping[str, dict[str, Any]] | None = None) -> Run:
    """The document of these tests, as JSON has it, beside the recordings."""
    cases = list(cases)
    verdicts = verdicts_by_behaviour(cases)
    made = document(
        settings=None,
        session={
            "postgresql": "17.5",
            "service": {
                "operations": ["list", "place"],
                "workers": 1,
                "waivers": {},
                "budget": _BUDGET,
            },
        },
        tests=cases,
        behaviours=verdicts,
        others={},
        code=exit_code(verdicts, runner=0),
    )
    return json.loads(json.dumps(made)), dict(recordings or {})


def recorded(said: str = "late", *, asked: int = 12) -> dict[str, Any]:
    """The JSON of a recording in which every kind of answer was seen; `said` is in its bodies, its
    headers and its log."""
    answers = [
        answer(200, json={"said": said}, started=100.2 + number / 10) for number in range(asked)
    ]
    refused = problem(503, detail=said, headers={"X-Said": said})
    answers += [
        replace(refused, started=103.0 + number / 10, token=f"token{number}")
        for number in range(asked)
    ]
    answers.append(answer(500, body=said.encode("utf-8", "replace"), started=104.0))
    answers.append(no_answer(Completion.NO_ANSWER, started=105.0, elapsed=timedelta(seconds=2)))
    answers.append(no_answer(Completion.STALE, started=105.5, operation=WRITE))
    made = recording(
        answers=tuple(answers),
        liveness=tuple(
            replace(answer(200), started=100.0 + number, operation="/live") for number in range(20)
        ),
        readiness=tuple(
            replace(problem(503), started=102.0 + number, operation="/ready") for number in range(8)
        ),
        sessions=(SessionLook(100.5, {"idle": 3}), SessionLook(104.0, {"idle": 1, "active": 4})),
        injected=(injected(),),
        recovery=Recovery(steady=True, after=timedelta(seconds=0.5), rounds=(said, "steady")),
        gaps=(Gap(103.0, 103.5, 0.9),),
        log="\n".join([f"token0 {said}", *(f"line {number}" for number in range(200))]),
    )
    written: dict[str, Any] = json.loads(json.dumps(made.to_json()))
    return written


def mixed_run() -> Run:
    """A run with every verdict: 13 promises are broken, one of them only tolerated."""
    broken = sorted(ids("E1 E2 E3 E4 E5 E6 E7 E8 E9 H0 H1 H2"))
    kept = sorted(ids("H4 H5 H6 T3 T6 P1 P2 C1 C2 V1 V2 S1 S6 O1 X1"))
    cases = [case(one, "outage", Verdict.BROKEN, said=f"{n} of 9") for n, one in enumerate(broken)]
    cases.append(case("H3", "reset", Verdict.BROKEN, said="late", tolerated=True))
    cases.append(case("T1", "reset", Verdict.UNKNOWN, said="The fault was not felt."))
    cases.append(case("T2", "reset", Verdict.NOT_ASSESSED, said="It is not declared."))
    cases += [case(one, trial) for one in kept for trial in ("outage", "latency")]
    return run_of(cases, {"outage": recorded(), "latency": recorded(), "reset": recorded()})


def hostile_run() -> Run:
    """A run in which the service says `HOSTILE` wherever it can, and a trial is named so."""
    cases = [
        case("T1", "outage", Verdict.BROKEN, said=HOSTILE, facts={"process": HOSTILE}),
        case("T2", HOSTILE, Verdict.UNKNOWN, said=HOSTILE, facts={"repeated": HOSTILE}),
    ]
    return run_of(cases, {"outage": recorded(HOSTILE), HOSTILE: recorded(HOSTILE)})


def large_run() -> Run:
    """2,000 cases: 40 promises in 50 trials, each with a recording of 400 answers."""
    promises = list(CATALOGUE)[:40]
    trials = [f"trial_{number}" for number in range(50)]
    words = [Verdict.KEPT, Verdict.KEPT, Verdict.BROKEN, Verdict.NOT_ASSESSED]
    cases = [
        case(one, trial, words[(row + column) % 4], said=f"{row} of 40 in {trial} violated this")
        for row, one in enumerate(promises)
        for column, trial in enumerate(trials)
    ]
    seen = recorded("x" * 300, asked=200)
    return run_of(cases, dict.fromkeys(trials, seen))
