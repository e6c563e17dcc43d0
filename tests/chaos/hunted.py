"""A search as CI makes it finds the promise that a service breaks, by a schedule of this shape."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pytest

from brownout.chaos import Search, search
from brownout.faults import (
    BlackHole,
    ChangedSchema,
    CommitNeverArrives,
    Crash,
    CutAt,
    Fault,
    Freeze,
    Latency,
    LostCommitReply,
    NoFreeSlots,
    Outage,
    RefusedAuthentication,
    Reset,
    Restart,
    ServerError,
    StalledAt,
    TerminatedBackends,
)
from brownout.trial import Ask, Break, Recording, Trial
from brownout.units import seconds

Kinds = tuple[type[Fault], ...]

CONFLICT: Final[Kinds] = (ServerError,)
LOST: Final[Kinds] = (LostCommitReply, CommitNeverArrives, CutAt, BlackHole, StalledAt, Reset)
ENDED: Final[Kinds] = (TerminatedBackends, Restart, Crash, Reset, NoFreeSlots, Outage)
SILENT: Final[Kinds] = (BlackHole, Freeze, StalledAt)
SLOW: Final[Kinds] = (Latency, *SILENT)
REFUSED: Final[Kinds] = (Outage, RefusedAuthentication, NoFreeSlots, ServerError, Restart, Crash)


@dataclass(frozen=True)
class Shape:
    """A promise, and what the smallest schedule that breaks it has: a fault of each of these kinds,
    the operations that are asked, and so many steps at most. `share` is one that finds it soon."""

    promise: str
    faults: Sequence[Kinds]
    asks: Iterable[str]
    steps: int
    share: int = 0


FOUND: Final = {
    "remembers_what_is_missing": Shape("C2", [LOST], ["place-order", "find-orders"], 6),
    "repeats_outside_a_transaction": Shape("C4", [(ChangedSchema,)], ["place-order"], 5),
    "forgets_the_key_after_a_conflict": Shape("C6", [CONFLICT, LOST], ["place-order"], 4),
    "keeps_keys_unlogged": Shape("C6", [LOST, (Crash,)], ["place-order"], 5),
    "breaker_keeps_its_trial": Shape("V2", [REFUSED, SILENT], ["list-orders"], 8),
    "reconnects_for_ever": Shape("V2", [ENDED, SILENT], ["place-order"], 5),
    "looks_it_up_without_a_limit": Shape("T1", [LOST, SILENT], ["place-order"], 5),
    "gives_up_on_connects": Shape("P1", [ENDED, SLOW], ["place-order"], 6),
}

NAME: Final = os.environ["SERVICE"]


def test_the_search_finds_it_and_makes_it_small(
    brownout_record: Callable[[Trial], Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_MOST_FOUND", 1)
    shape = FOUND[NAME]
    share = int(os.environ.get("SHARE", shape.share))
    script = Search(share, seconds(float(os.environ.get("LASTING", "20"))))
    trial = Trial("hunt", script=script, must_be_felt=False, probed=False)
    chaos = brownout_record(trial).chaos
    assert chaos is not None
    print(f"{NAME}: {chaos.run} schedules in {chaos.seconds:.1f} s")
    assert set(chaos.found) == {shape.promise}
    steps = chaos.found[shape.promise].steps
    print(*steps, sep="\n")
    met = [one.fault for one in steps if isinstance(one, Break)]
    for kinds in shape.faults:
        assert any(isinstance(fault, kinds) for fault in met)
    assert {one.operation for one in steps if isinstance(one, Ask)} == set(shape.asks)
    assert len(steps) <= shape.steps
