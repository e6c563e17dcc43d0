"""Schedules as a search prints them, each with the promise that its service breaks."""

import os
from collections.abc import Callable

from brownout.expectations import expect_schedule_survived
from brownout.faults import CommitNeverArrives, LostCommitReply, ServerError, Statement
from brownout.trial import Ask, Break, Heal, Recording, Schedule, Settle, Trial

_PLACE = Ask("place-order")
_CONFLICT = Break(ServerError("40001", on=Statement(r"\binsert\b"), times=1))
_CHANGE = Statement(r"\b(insert|delete)\b")

SCHEDULES = {
    "done_after_a_conflict": ("C1", (_CONFLICT, Break(CommitNeverArrives()), _PLACE)),
    "another_key_after_a_conflict": ("C6", (_CONFLICT, Break(LostCommitReply()), _PLACE)),
    "compensation_that_may_fail": (
        "C4",
        (Break(ServerError("53100", on=_CHANGE, nth=2, times=2)), _PLACE),
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
}

PROMISE, STEPS = SCHEDULES[os.environ["SCHEDULE"]]


def test_the_promise_survives(brownout_record: Callable[[Trial], Recording]) -> None:
    found = Trial("found", script=Schedule(STEPS, tries=3), must_be_felt=False)
    expect_schedule_survived(brownout_record(found), PROMISE)
