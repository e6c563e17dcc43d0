"""What is done becomes a schedule, with a pause only where it matters, and the schedule a test."""

import ast
from collections.abc import Callable

import pytest

from brownout import faults, ms, trial
from brownout.console.journal import Journal
from brownout.console.saved import saved
from brownout.errors import SettingsError
from brownout.faults import Latency, Outage, ServerError, Statement, TerminatedBackends
from brownout.trial import Ask, Break, Heal, Schedule, Settle, Trial, Wait
from brownout.trial.chaos.steps import Step

SLOW = Latency(ms(300))
GONE = Outage()


class Told:
    """A journal whose time passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.journal = Journal(lambda: self.now)

    def later(self, seconds: float) -> Journal:
        self.now += seconds
        return self.journal


@pytest.fixture
def told() -> Told:
    return Told()


def test_nothing_was_done_before_the_first_fault(told: Told) -> None:
    request = told.journal.asked("list")
    told.later(1).answered(request)
    assert told.journal.steps() == ()


def test_a_fault_a_request_and_the_heal(told: Told) -> None:
    told.journal.broken(GONE)
    request = told.later(0.3).asked("list")
    told.later(0.1).answered(request)
    told.later(0.004).healed(GONE)
    assert told.journal.steps() == (
        Break(GONE), Wait(ms(300)), Ask("list"), Settle(), Heal(),
    )  # fmt: skip


def test_a_request_that_is_under_way_when_the_fault_comes_is_kept(told: Told) -> None:
    first = told.journal.asked("list")
    second = told.later(0.5).asked("place", 3)
    told.later(0.1).answered(first)
    told.later(0.1).broken(SLOW)
    for _ in range(3):
        told.later(0.01).answered(second)
    assert told.journal.steps() == (Ask("place", 3), Wait(ms(200)), Break(SLOW), Settle())


def test_a_long_thought_is_a_short_pause_and_none_while_nothing_is_broken(told: Told) -> None:
    told.journal.broken(GONE)
    told.later(60).healed(GONE)
    told.later(60).broken(SLOW)
    assert told.journal.steps() == (Break(GONE), Wait(ms(5000)), Heal(), Break(SLOW))


def test_a_fault_that_stays_while_another_heals_is_made_again(told: Told) -> None:
    told.journal.broken(GONE)
    told.journal.broken(SLOW)
    assert not told.journal.remade
    told.journal.healed(GONE)
    assert told.journal.steps() == (Break(GONE), Break(SLOW), Heal(), Break(SLOW))
    assert told.journal.remade
    assert "come into force again" in saved(told.journal.steps(), remade=True)


def test_all_that_heal_together_are_one_step(told: Told) -> None:
    told.journal.broken(GONE)
    told.journal.broken(SLOW)
    told.journal.healed(SLOW, GONE)
    assert told.journal.steps() == (Break(GONE), Break(SLOW), Heal())
    assert not told.journal.remade


def test_a_momentary_fault_does_not_heal(told: Told) -> None:
    told.journal.broken(TerminatedBackends(), momentary=True)
    told.journal.broken(GONE)
    told.journal.healed(GONE)
    assert told.journal.steps() == (Break(TerminatedBackends()), Break(GONE), Heal())


def test_the_load_counts_while_something_is_broken_and_a_little_longer(told: Told) -> None:
    def loaded() -> None:
        told.journal.answered(told.later(0.5).asked("list", by_load=True))

    loaded()
    told.journal.broken(GONE)
    loaded()
    told.journal.healed(GONE)
    before = len(told.journal.steps())
    loaded()
    assert len(told.journal.steps()) == before + 2
    told.later(2)
    loaded()
    assert len(told.journal.steps()) == before + 2
    by_hand = told.journal.asked("list")
    told.journal.answered(by_hand)
    assert len(told.journal.steps()) == before + 4


def test_a_test_does_not_grow_without_end(told: Told) -> None:
    told.journal.broken(GONE)
    for _ in range(1000):
        told.journal.answered(told.later(0.5).asked("list", by_load=True))
    assert len(told.journal.steps()) < 1000


def test_started_over_it_begins_with_what_is_in_force(told: Told) -> None:
    told.journal.broken(GONE)
    told.journal.broken(SLOW)
    told.journal.healed(GONE)
    under_way = told.journal.asked("list")
    told.journal.start_over()
    told.journal.answered(under_way)
    assert told.journal.steps() == (Break(SLOW),)
    told.journal.healed(SLOW)
    told.journal.start_over()
    assert told.journal.steps() == ()


# -- the test to paste ----------------------------------------------------------------------------

STEPS: tuple[Step, ...] = (
    Break(ServerError("40001", on=Statement(r"\binsert\b"), times=1)),
    Ask("place-order"),
    Wait(ms(20)),
    Settle(),
    Heal(),
)


def names_of(text: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(compile(text, "saved", "exec"), names)  # noqa: S102 - our own text
    return names


def test_the_test_makes_the_trial_of_these_steps() -> None:
    names = names_of(saved(STEPS))
    assert names["BY_HAND"] == Trial("by_hand", script=Schedule(STEPS), must_be_felt=False)
    assert isinstance(names["test_the_service_survives_what_was_done_by_hand"], Callable)  # type: ignore[arg-type]


def test_the_test_imports_what_it_uses_and_nothing_else() -> None:
    tree = ast.parse(saved(STEPS))
    imported = {
        alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported == used & (imported | set(faults.__all__) | set(trial.__all__))
    assert imported <= used


def test_an_operation_that_is_called_like_a_fault_is_not_imported() -> None:
    text = saved((Break(GONE), Ask("Latency")))
    assert "import Outage\n" in text
    names_of(text)


def test_nothing_to_save_is_said() -> None:
    with pytest.raises(SettingsError, match="Nothing was broken yet"):
        saved((Ask("list"), Settle()))
