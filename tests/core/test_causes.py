"""Failures of one cause are one finding."""

import pytest

from brownout.errors import Violation
from brownout.report.causes import by_cause
from brownout.report.facts import Finding, Trouble, Verdict
from brownout.report.verdicts import Case, meaning, verdicts_by_behaviour


def late(seen: str, *, expected: str = "at most 1 s") -> Trouble:
    violation = Violation("Requests end in time.", expected, seen)
    return Trouble(Verdict.BROKEN, "ContractViolation", violation.headline, violation)


def unknown(text: str) -> Trouble:
    return Trouble(Verdict.UNKNOWN, "BackendUnavailable", text)


def case(
    trial: str,
    behaviour: str,
    trouble: Trouble | None,
    *,
    tolerated: bool = False,
    follows: str = "",
) -> Case:
    verdict = Verdict.KEPT if trouble is None else trouble.verdict
    finding = Finding(behaviour, verdict, trouble, tolerated, follows)
    nodeid = f"test_it.py::test_{behaviour.lower()}[{trial}]"
    return Case(nodeid, [behaviour], [finding], reproduce=f"again {trial}", facts={"trial": trial})


def told(*cases: Case) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The promises and the tests of each cause."""
    causes = by_cause(verdicts_by_behaviour(cases), cases)
    return [(cause.behaviours, cause.tests) for cause in causes]


def test_what_was_kept_or_not_assessed_has_no_cause() -> None:
    left_out = Trouble(Verdict.NOT_ASSESSED, "skip", "cannot")
    assert told(case("outage", "T1", None), case("outage", "T2", left_out)) == []


def test_trials_in_which_the_same_was_expected_are_one_finding() -> None:
    cases = [case("outage", "T1", late("2 s")), case("reset", "T1", late("3 s"))]
    assert told(*cases) == [(("T1",), ("outage", "reset"))]
    (cause,) = by_cause(verdicts_by_behaviour(cases), cases)
    assert cause.trouble == late("2 s"), "the first one is shown"
    assert cause.reproduce == "again outage"
    assert cause.broken


def test_another_expectation_is_another_finding() -> None:
    other = late("2 s", expected="at most 5 s")
    cases = [case("outage", "T1", late("2 s")), case("reset", "T1", other)]
    assert told(*cases) == [(("T1",), ("outage",)), (("T1",), ("reset",))]


@pytest.mark.parametrize("tolerated", [("T1",), ("T2",)])
def test_a_finding_is_tolerated_only_if_all_its_promises_are(tolerated: tuple[str]) -> None:
    cases = [case("outage", one, late("2 s"), tolerated=one in tolerated) for one in ("T1", "T2")]
    (cause,) = by_cause(verdicts_by_behaviour(cases), cases)
    assert cause.behaviours == ("T1", "T2")
    assert not cause.tolerated


def test_promises_whose_first_tests_saw_the_very_same_share_a_finding() -> None:
    cases = [
        case("outage", "V1", late("2 s")),
        case("outage", "V2", late("2 s")),
        case("reset", "T1", late("4 s")),
    ]
    assert told(*cases) == [(("T1",), ("reset",)), (("V1", "V2"), ("outage",))]


def test_an_error_is_one_finding_for_all_that_it_leaves_unknown() -> None:
    cases = [
        case("outage", "T1", unknown("No engine.")),
        case("reset", "E5", unknown("No engine.")),
    ]
    (cause,) = by_cause(verdicts_by_behaviour(cases), cases)
    assert cause.behaviours == ("E5", "T1")
    assert not cause.broken


def test_the_gravest_comes_first() -> None:
    cases = [
        case("reset", "E1", unknown("No engine.")),
        case("reset", "E3", late("2 s", expected="titles"), tolerated=True),
        case("reset", "T1", late("2 s")),
        case("reset", "T2", late("2 s", expected="more")),
        case("outage", "T2", late("2 s", expected="more")),
        case("reset", "S6", late("it ended")),
    ]
    assert [ids for ids, _ in told(*cases)] == [("S6",), ("T2",), ("T1",), ("E3",), ("E1",)]


def test_what_follows_from_the_end_of_the_process_is_told_with_it() -> None:
    follows = Trouble(Verdict.BROKEN, "ContractViolation", "follows: S6")
    cases = [
        case("reset", "S6", late("it ended")),
        case("reset", "H1", follows, follows="S6"),
        case("outage", "H1", follows, follows="S6"),
        case("reset", "V1", follows, follows="S6"),
    ]
    (cause,) = by_cause(verdicts_by_behaviour(cases), cases)
    assert cause.behaviours == ("S6",)
    assert cause.following == ("H1", "V1")


def test_what_follows_from_a_promise_that_was_not_judged_stands_for_itself() -> None:
    follows = Trouble(Verdict.BROKEN, "ContractViolation", "follows: S6")
    assert told(case("reset", "H1", follows, follows="S6")) == [(("H1",), ("reset",))]


# -- what the exit code means ----------------------------------------------------------------------


def test_the_exit_code_is_explained_by_what_happened() -> None:
    kept, broken = case("outage", "T1", None), case("outage", "E5", late("2 s"))
    open_ = case("outage", "H1", unknown("No engine."))
    left_out = case("outage", "P9", Trouble(Verdict.NOT_ASSESSED, "skip", "cannot"))
    tolerated = case("outage", "E3", late("2 s"), tolerated=True)

    def meant(code: int, *cases: Case, error: str | None = None) -> str:
        return meaning(verdicts_by_behaviour(cases), code, error)

    assert meant(0, kept) == "all promises that were assessed were kept: 1"
    assert meant(0, kept, tolerated) == "kept: 1; broken, but tolerated: E3"
    assert meant(1, kept, broken, tolerated, open_) == "broken: E5"
    assert meant(1, kept) == "broken: a test that asserts no promise"
    assert meant(2, kept, open_) == "nothing is broken, but unknown: H1"
    assert meant(2, left_out) == "no promise was assessed"
    assert meant(2, kept, error="It was interrupted.\nMore.") == "It was interrupted"
