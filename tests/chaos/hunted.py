"""A search as CI makes it finds the promise that a service breaks, by a schedule of this shape."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pytest

from brownout.chaos import Search, search
from brownout.faults import (
    CommitNeverArrives,
    CutAt,
    Fault,
    LostCommitReply,
    ServerError,
    StalledAt,
)
from brownout.trial import Ask, Break, Recording, Trial
from brownout.units import seconds

Kinds = tuple[type[Fault], ...]

LOST: Final[Kinds] = (LostCommitReply, CommitNeverArrives, CutAt, StalledAt)


@dataclass(frozen=True)
class Shape:
    """A promise, and what the smallest schedule that breaks it has: a fault of each of these kinds,
    the operations that are asked, and so many steps at most."""

    promise: str
    faults: Sequence[Kinds]
    asks: Sequence[str]
    steps: int


FOUND: Final = {
    "forgets_the_key_after_a_conflict": Shape("C6", [(ServerError,), LOST], ["place-order"], 5),
    "remembers_what_is_missing": Shape("C2", [LOST], ["place-order", "find-orders"], 5),
}

LASTING: Final = seconds(180)
"""CI's profile is 20 s on each replica; a busy machine needs longer for as many schedules. The
search ends with the first promise that is broken."""


def test_the_search_finds_it_and_makes_it_small(
    brownout_record: Callable[[Trial], Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_MOST_FOUND", 1)
    shape = FOUND[os.environ["SERVICE"]]
    hunt = Trial("hunt", script=Search(lasting=LASTING), must_be_felt=False, probed=False)
    chaos = brownout_record(hunt).chaos
    assert chaos is not None
    assert set(chaos.found) == {shape.promise}, f"after {chaos.run} schedules"
    steps = chaos.found[shape.promise].steps
    met = [one.fault for one in steps if isinstance(one, Break)]
    assert all(any(isinstance(one, kinds) for one in met) for kinds in shape.faults), steps
    assert {one.operation for one in steps if isinstance(one, Ask)} == set(shape.asks), steps
    assert len(steps) <= shape.steps, steps
