"""A search as CI makes it finds the promise that a service breaks, and makes the schedule small."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest

from brownout import Service
from brownout.chaos import Search, search
from brownout.expectations.chaos import broken_in
from brownout.trial import Ask, Break, Recording, Trial
from brownout.trial.chaos.seen import TriedSchedule
from brownout.units import seconds

LASTING: Final = seconds(400)
"""One replica needs a minute or two for every pair of faults; a busy machine needs longer for as
many schedules. The search ends with the first promise that is broken."""


_PLACED: Final = frozenset({"place-order"})
_LISTED: Final = frozenset({"list-orders"})


@dataclass(frozen=True)
class Hunted:
    """The promise that a service breaks, and the shape of the smallest schedule that shows it: it
    asks for one of these sets of operations."""

    promise: str
    operations: tuple[frozenset[str], ...] = (_PLACED,)
    most_steps: int = 3
    least_faults: int = 1


QUICK: Final = {
    # Whichever fault leaves the fate of the write open.
    "remembers_what_is_missing": Hunted("C2", (_PLACED | {"find-orders"},), most_steps=5),
    "done_after_a_conflict": Hunted("C1", least_faults=2),
    "compensation_that_may_fail": Hunted("C4"),
    "another_key_after_a_conflict": Hunted("C6", least_faults=2),
    "forgets_the_key_after_a_conflict": Hunted("C6", least_faults=2),
}
"""Found in seconds: pairs that break single steps of the protocol come first."""

LONG: Final = {
    "repeats_outside_a_transaction": Hunted("C4", least_faults=2, most_steps=9),
    "keeps_keys_unlogged": Hunted("C6", least_faults=2, most_steps=9),
    "ends_after_two_kinds": Hunted("S6", least_faults=2, most_steps=9),
    "breaker_keeps_its_trial": Hunted("V2", (_LISTED,), least_faults=2, most_steps=9),
    "reconnects_for_ever": Hunted("V2", (_PLACED, _LISTED), least_faults=2, most_steps=9),
    "looks_it_up_without_a_limit": Hunted("T1", least_faults=2, most_steps=9),
    "gives_up_on_connects": Hunted("P1", (_PLACED, _LISTED), least_faults=2, most_steps=9),
}

SERVICES: Final = {**QUICK, **LONG}


@pytest.mark.parametrize("name", os.environ.get("HUNTED", "").split())
def test_it_is_found_and_nothing_else_is_left(
    name: str, brownout_record: Callable[[Trial], Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    hunted = SERVICES[name]

    def broken(tried: TriedSchedule, declared: Service) -> tuple[str, ...]:
        return tuple(one for one in broken_in(tried, declared) if one == hunted.promise)

    monkeypatch.setattr(search, "_MOST_FOUND", 1)
    monkeypatch.setattr(search, "broken_in", broken)  # a busy machine may be late as well
    # It ends when nothing can be left out any more, also on a busy machine.
    monkeypatch.setattr(search, "_SHRINKING", seconds(90))
    monkeypatch.setattr(search, "_THINNING", seconds(60))
    hunt = Trial("hunt", script=Search(lasting=LASTING), must_be_felt=False, probed=False)
    chaos = brownout_record(hunt).chaos
    assert chaos is not None
    assert set(chaos.found) == {hunted.promise}, f"after {chaos.run} schedules"
    steps = chaos.found[hunted.promise].steps
    assert {one.operation for one in steps if isinstance(one, Ask)} in hunted.operations, steps
    assert hunted.least_faults <= sum(isinstance(one, Break) for one in steps), steps
    assert len(steps) <= hunted.most_steps, steps
