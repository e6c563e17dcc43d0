"""An error says its cause, what was tried and what to do; ours and the service's stay apart."""

import pytest

import brownout.errors
from brownout import BrownoutError, ContractViolation, kib, ms, seconds

OURS = [
    getattr(brownout.errors, name)
    for name in brownout.errors.__all__
    if name not in ("ContractViolation", "Violation")
]


def test_a_failure_of_ours_says_cause_attempts_and_remedy() -> None:
    error = BrownoutError("It broke.", tried=["this", "that"], remedy="Mend it.")
    assert str(error) == "It broke.\nTried:\n  - this\n  - that\nWhat to do: Mend it."
    assert (error.cause, error.tried, error.remedy) == ("It broke.", ("this", "that"), "Mend it.")


def test_a_cause_can_stand_alone() -> None:
    assert str(BrownoutError("It broke.")) == "It broke."


@pytest.mark.parametrize("kind", OURS)
def test_our_failures_have_one_root_and_are_never_a_broken_promise(
    kind: type[BrownoutError],
) -> None:
    assert issubclass(kind, BrownoutError)
    assert not issubclass(kind, AssertionError)
    assert kind.__doc__


def test_a_broken_promise_says_what_was_expected_and_what_was_seen() -> None:
    violation = ContractViolation(
        "It answers in time.",
        expected="at most 5 ms",
        observed="9 ms",
        facts={"operation": "list"},
        timeline=["+0 s asked", "+9 s answered"],
    )
    assert isinstance(violation, AssertionError)
    assert not isinstance(violation, BrownoutError)
    assert str(violation).splitlines() == [
        "It answers in time.",
        "  expected: at most 5 ms",
        "  observed: 9 ms",
        "  operation: list",
        "  timeline:",
        "    +0 s asked",
        "    +9 s answered",
    ]


def test_durations_and_sizes_carry_their_unit() -> None:
    assert ms(1500) == seconds(1.5)
    assert kib(1.5) == 1536
