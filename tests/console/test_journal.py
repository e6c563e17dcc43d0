"""What is done becomes a schedule, with a pause only where it matters, and the schedule a test."""

import pytest

from brownout import ms
from brownout.console.journal import Journal
from brownout.errors import SettingsError
from brownout.faults import Latency, Outage, TerminatedBackends
from brownout.trial import Ask, Break, Heal, Schedule, Settle, Trial, Wait

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
    assert "come into force again" not in told.journal.as_a_test()
    told.journal.healed(GONE)
    assert told.journal.steps() == (Break(GONE), Break(SLOW), Heal(), Break(SLOW))
    assert "come into force again" in told.journal.as_a_test()


def test_all_that_heal_together_are_one_step(told: Told) -> None:
    told.journal.broken(GONE)
    told.journal.broken(SLOW)
    told.journal.healed(SLOW, GONE)
    assert told.journal.steps() == (Break(GONE), Break(SLOW), Heal())
    assert "come into force again" not in told.journal.as_a_test()


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


def test_what_was_done_is_a_test(told: Told) -> None:
    told.journal.broken(GONE)
    told.journal.answered(told.journal.asked("list"))
    steps = told.journal.steps()
    names: dict[str, object] = {}
    exec(told.journal.as_a_test(), names)  # noqa: S102 - our own text
    assert names["BY_HAND"] == Trial("by_hand", script=Schedule(steps), must_be_felt=False)
    assert callable(names["test_the_service_survives_what_was_done_by_hand"])


def test_nothing_to_save_is_said(told: Told) -> None:
    told.journal.answered(told.journal.asked("list"))
    with pytest.raises(SettingsError, match="Nothing was broken yet"):
        told.journal.as_a_test()
