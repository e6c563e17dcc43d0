"""A schedule is printed as a test that can be pasted."""

import ast
from pathlib import Path

import pytest

from brownout import faults, ms, trial
from brownout.faults import (
    BlackHole,
    Commit,
    Direction,
    Latency,
    LostCommitReply,
    Outage,
    ServerError,
    Statement,
)
from brownout.trial import Ask, Break, Heal, Schedule, Settle, Trial, Wait
from brownout.trial.chaos.pasted import pasted
from brownout.trial.chaos.steps import Step

DOCUMENT = Path(__file__).parents[2] / "docs" / "chaos.md"

EVERY: tuple[Step, ...] = (
    Break(ServerError("40001", on=Statement(r"\binsert\b"), times=1)),
    Ask("place-order"),
    Wait(ms(20)),
    Settle(),
    Heal(),
)
CONFLICT: tuple[Step, ...] = (
    Break(ServerError("40001", on=Commit(), times=1)),
    Break(LostCommitReply()),
    Ask("place-order"),
)
SCHEDULES = [
    EVERY,
    CONFLICT,
    (Break(LostCommitReply(Statement("insert"))), Ask("place-order", 3)),
    (Break(Latency(ms(20))), Ask("x"), Break(BlackHole(Direction.TO_SERVICE))),
]


def found(*steps: Step) -> str:
    return pasted(
        steps, trial="found_c1", test="test_c1_survives_the_schedule", tries=3, promise="C1"
    )


def names_of(text: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(compile(text, "pasted", "exec"), names)  # noqa: S102 - our own text
    return names


@pytest.mark.parametrize("steps", SCHEDULES)
def test_it_makes_the_trial_of_these_steps(steps: tuple[Step, ...]) -> None:
    names = names_of(found(*steps))
    assert names["FOUND_C1"] == Trial(
        "found_c1", script=Schedule(steps, tries=3), must_be_felt=False
    )
    assert callable(names["test_c1_survives_the_schedule"])


@pytest.mark.parametrize("steps", SCHEDULES)
def test_it_imports_what_it_uses_and_nothing_else(steps: tuple[Step, ...]) -> None:
    tree = ast.parse(found(*steps))
    imported = {
        alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported == used & (imported | set(faults.__all__) | set(trial.__all__))
    assert imported <= used


def test_an_operation_that_is_called_like_a_fault_is_not_imported() -> None:
    text = pasted((Break(Outage()), Ask("Latency")), trial="by_hand", test="test_by_hand")
    assert "import Outage\n" in text
    names_of(text)


def test_without_a_promise_every_one_is_judged_and_a_single_try_is_not_mentioned() -> None:
    text = pasted((Break(Outage()),), trial="by_hand", test="test_by_hand", comment="As it was.")
    assert "expect_schedule_survived(brownout_record(BY_HAND))\n" in text
    assert "tries" not in text
    assert "\n# As it was.\nBY_HAND = Trial(\n" in text


def test_the_document_shows_one_as_it_is_printed() -> None:
    assert f"```python\n{found(*CONFLICT)}```\n" in DOCUMENT.read_text("utf-8")
