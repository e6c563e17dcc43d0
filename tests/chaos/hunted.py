"""A search as CI makes it finds the promise that a service breaks, and makes the schedule small."""

from collections.abc import Callable
from typing import Final

import pytest

from brownout import Service
from brownout.chaos import Search, search
from brownout.expectations.chaos import broken_in
from brownout.trial import Ask, Break, Recording, Trial
from brownout.trial.chaos.seen import TriedSchedule
from brownout.units import seconds

LASTING: Final = seconds(180)
"""CI's profile is 20 s on each replica; a busy machine needs longer for as many schedules. The
search ends with the first promise that is broken."""


def _going_back(tried: TriedSchedule, declared: Service) -> tuple[str, ...]:
    return tuple(one for one in broken_in(tried, declared) if one == "C2")


def test_a_read_that_goes_back_is_found_and_nothing_else_is_left(
    brownout_record: Callable[[Trial], Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_MOST_FOUND", 1)
    monkeypatch.setattr(search, "broken_in", _going_back)  # a busy machine may be late as well
    # It ends when nothing can be left out any more, also on a busy machine.
    monkeypatch.setattr(search, "_SHRINKING", seconds(90))
    monkeypatch.setattr(search, "_THINNING", seconds(60))
    hunt = Trial("hunt", script=Search(lasting=LASTING), must_be_felt=False, probed=False)
    chaos = brownout_record(hunt).chaos
    assert chaos is not None
    assert set(chaos.found) == {"C2"}, f"after {chaos.run} schedules"
    steps = chaos.found["C2"].steps
    assert {one.operation for one in steps if isinstance(one, Ask)} == {
        "place-order",
        "find-orders",
    }, steps
    # Whichever fault leaves the fate of the write open.
    assert any(isinstance(one, Break) for one in steps), steps
    assert len(steps) <= 5, steps
