"""The controls of the judgements on schedules."""

from functools import partial

from brownout.expectations import expect_no_schedule_breaks, expect_schedule_survived
from brownout.faults import LostCommitReply
from brownout.observations import Recovery
from brownout.trial import Ask, Break, Recording
from brownout.trial.chaos.seen import Chaos, ScheduleTry, TriedSchedule
from brownout.units import ms
from tests.core.judgements import Controls
from tests.core.made import TOKEN, WRITE, answer, recording

__all__ = ["CHAOS_CONTROLS", "searched"]


def searched(*, applied: int = 1, promise: str = "C1", found: bool = True) -> Recording:
    """A search that ran one schedule, in which one write was acknowledged."""
    seen = ScheduleTry(
        answers=(answer(201, operation=WRITE),),
        applied={TOKEN: applied},
        again=(),
        applied_again={},
        invariants={},
        recovery=Recovery(True, ms(10), ()),
    )
    tried = TriedSchedule((Break(LostCommitReply()), Ask("place")), (seen,))
    chaos = Chaos(seed=1, run=1, assessed={"C1": 1}, found={promise: tried} if found else {})
    return recording(chaos=chaos)


NOT_RUN = Chaos(seed=1, run=0, assessed={}, found={})

CHAOS_CONTROLS = {
    "expect_no_schedule_breaks": Controls(
        kept=[partial(expect_no_schedule_breaks, searched(found=False), "C1")],
        broken=[
            partial(expect_no_schedule_breaks, searched(applied=0), "C1"),
            partial(expect_no_schedule_breaks, searched(applied=2, promise="C3"), "C3"),
        ],
        nothing=[
            partial(expect_no_schedule_breaks, recording(), "C1"),
            partial(expect_no_schedule_breaks, recording(chaos=NOT_RUN), "C1"),
        ],
    ),
    "expect_schedule_survived": Controls(
        kept=[
            partial(expect_schedule_survived, searched(promise="")),
            partial(expect_schedule_survived, searched(applied=0, promise=""), "C3"),
        ],
        broken=[
            partial(expect_schedule_survived, searched(applied=0, promise="")),
            partial(expect_schedule_survived, searched(applied=2, promise=""), "C3"),
        ],
        nothing=[partial(expect_schedule_survived, recording())],
    ),
}
