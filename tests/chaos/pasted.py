"""Schedules as a search prints them, each with the promise that its service breaks."""

import os
from collections.abc import Callable
from typing import Final

import pytest

from brownout import ms
from brownout.expectations import expect_schedule_survived
from brownout.faults import (
    NEW,
    BlackHole,
    ChangedSchema,
    CommitNeverArrives,
    Crash,
    Freeze,
    Latency,
    LostCommitReply,
    Outage,
    ServerError,
    Statement,
    TerminatedBackends,
)
from brownout.trial import Ask, Break, Heal, Recording, Schedule, Settle, Trial

_PLACE: Final = Ask("place-order")
_LIST: Final = Ask("list-orders")
_CONFLICT: Final = Break(ServerError("40001", on=Statement(r"\binsert\b"), times=1))
_CHANGE: Final = Statement(r"\b(insert|delete)\b")

SCHEDULES: Final = {
    "done_after_a_conflict": ("C1", (_CONFLICT, Break(CommitNeverArrives()), _PLACE)),
    "remembers_what_is_missing": (
        "C2",
        (Break(Latency(ms(60))), Break(LostCommitReply()), _PLACE, Ask("find-orders")),
    ),
    "compensation_that_may_fail": (
        "C4",
        (Break(ServerError("53100", on=_CHANGE, nth=2, times=2)), _PLACE),
    ),
    "repeats_outside_a_transaction": (
        "C4",
        (
            _PLACE,
            Settle(),
            Break(ChangedSchema()),
            Break(ServerError("53100", on=_CHANGE, nth=2, times=1)),
            _PLACE,
        ),
    ),
    "another_key_after_a_conflict": ("C6", (_CONFLICT, Break(LostCommitReply()), _PLACE)),
    "forgets_the_key_after_a_conflict": ("C6", (_CONFLICT, Break(CommitNeverArrives()), _PLACE)),
    "keeps_keys_unlogged": (
        "C6",
        (Break(LostCommitReply()), _PLACE, Settle(), Break(Crash())),
    ),
    "ends_after_two_kinds": (
        "S6",
        (
            _PLACE,
            Settle(),
            Break(LostCommitReply()),
            _PLACE,
            Settle(),
            Heal(),
            Break(ServerError("53100", on=_CHANGE)),
            Ask("place-order", 3),
            Settle(),
            Ask("place-order", 3),
        ),
    ),
    "breaker_keeps_its_trial": (
        "V2",
        (Break(Outage()), _LIST, _LIST, Settle(), Heal(), Break(BlackHole()), _LIST),
    ),
    "reconnects_for_ever": ("V2", (Break(TerminatedBackends()), Break(Freeze()), _PLACE)),
    "looks_it_up_without_a_limit": (
        "T1",
        (Break(BlackHole(scope=NEW)), Break(LostCommitReply()), _PLACE),
    ),
    "gives_up_on_connects": (
        "P1",
        (Break(TerminatedBackends()), Break(Latency(ms(60))), Ask("place-order", 5)),
    ),
}


@pytest.mark.parametrize("name", os.environ["SCHEDULES"].split())
def test_the_promise_survives(name: str, brownout_record: Callable[[Trial], Recording]) -> None:
    promise, steps = SCHEDULES[name]
    found = Trial(f"found_{name}", script=Schedule(steps, tries=3), must_be_felt=False)
    expect_schedule_survived(brownout_record(found), promise)
