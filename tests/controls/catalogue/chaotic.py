"""Controls of chaos: defects that only several faults together show, or one in a certain order."""

from tests.controls.control import Control, Defect, ids

__all__ = ["CHAOTIC"]

_JUDGED = ids("C1 C3 C4 C6 C7 E1 E4 P1 P5 S6 T1 V2 Z1")
_SECONDS = 60
"""Enough for each on a machine that runs several controls at once: a search ends as soon as three
schedules are found, or the time is over."""

_OPEN = "C1 C3 C4 C6 C7 E1 E4 T1 Z1"


def _control(name: str, what: str, breaks: str, *, because: str = "") -> Control:
    return Control(
        module="chaotic",
        name=name,
        judged_by=_JUDGED,
        defects=(Defect(what, ids(breaks), because=because),),
        left_open=ids(_OPEN),
        chaos=_SECONDS,
    )


CHAOTIC = (
    _control(
        "done_after_a_conflict", "a lost COMMIT is taken for done where a conflict came first", "C1"
    ),
    _control(
        "another_key_after_a_conflict",
        "the key is changed after a conflict, so the same key again finds nothing",
        "C6",
    ),
    _control(
        "compensation_that_may_fail",
        "a refused write is taken back by a statement that may be refused too",
        "C4",
    ),
    _control("ends_after_two_kinds", "a full disk after a lost connection ends the process", "S6"),
)
