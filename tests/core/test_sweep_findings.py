"""The cases that break one promise are one finding, whichever replica has run them."""

from datetime import timedelta

import pytest

from brownout import ContractViolation, seconds
from brownout.errors import Violation
from brownout.expectations import expect_all_within, expect_each_case
from brownout.figures import collected, worst
from brownout.report.causes import by_cause
from brownout.report.facts import Finding, Trouble, Verdict
from brownout.report.verdicts import Case, verdicts_by_behaviour
from brownout.trial import CaseTry
from tests.core.made import answer
from tests.core.sweep_controls import swept, tried

LATE = tried(answer=answer(503, token="late", elapsed=seconds(3)))  # noqa: S106


def in_time(seen: CaseTry) -> None:
    expect_all_within([seen.answer], seconds(1))


def test_a_violation_names_every_case_and_can_be_repeated_by_the_first() -> None:
    recorded = swept(("a/x/cut", tried()), ("a/y/cut", LATE), ("a/z/cut", LATE))
    with collected() as figures, pytest.raises(ContractViolation) as raised:
        expect_each_case(recorded, in_time)
    seen = raised.value.violation
    assert seen.facts["case"] == "a/y/cut"
    assert seen.facts["cases"] == "a/y/cut, a/z/cut"
    assert seen.observed.startswith("2 of 3 cases violated this; in a/y/cut: ")
    assert seen.token == "late"  # noqa: S105
    figure = worst(figures)
    assert figure is not None
    assert (figure.value, figure.limit, figure.unit) == (3.0, 1.0, "s")


def test_what_a_second_try_has_cleared_is_not_shown_as_a_figure() -> None:
    with collected() as figures:
        expect_each_case(swept(("a/x/cut", LATE, tried())), in_time)
    figure = worst(figures)
    assert figure is not None
    assert figure.value < figure.limit


def test_the_cases_of_all_shares_are_in_one_finding() -> None:
    def broken(share: int, cases: str) -> Case:
        facts = {"case": cases.partition(",")[0], "cases": cases}
        violation = Violation("It ends.", "within D", f"share {share}", facts)
        trouble = Trouble(Verdict.BROKEN, "ContractViolation", violation.headline, violation)
        return Case(
            f"test_x[sweep_{share}]",
            ["T1"],
            [Finding("T1", Verdict.BROKEN, trouble)],
            duration=timedelta(0),
        )

    tests = [broken(1, "a/x/cut, a/y/cut"), broken(2, "a/z/cut")]
    (cause,) = by_cause(verdicts_by_behaviour(tests), tests)
    assert cause.tests == ("test_x[sweep_1]", "test_x[sweep_2]")
    violation = cause.trouble.violation
    assert violation is not None
    assert violation.facts["cases"] == "a/x/cut, a/y/cut, a/z/cut"
