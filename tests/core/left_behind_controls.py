"""The controls of the judgements on what failed or abandoned requests leave behind."""

from functools import partial

from brownout import Budget
from brownout.expectations import (
    expect_connects_given_up,
    expect_none_left_running,
    expect_whole_after_failures,
)
from brownout.observations import Recovery
from brownout.trial import Recording
from brownout.trial.leftovers import LeftRunning
from brownout.units import seconds
from tests.core.judgements import Controls
from tests.core.made import answer, recording, service

__all__ = ["LEFT_BEHIND"]

SINGLE = service(budget=Budget(request=seconds(1), recovery=seconds(2), pool=1))


def after_failures(failed: int, *then: int, succeeded: int = 0) -> Recording:
    """So many conflicts at three connections, and what came then."""
    return recording(
        notes={
            "failed: a conflict": (*[answer(409)] * failed, *[answer(200)] * succeeded),
            "then: a conflict": tuple(map(answer, then)),
        }
    )


def left(*counts: int, waited: int = 2, own: int = 0, **fields: object) -> Recording:
    """Of two queries of each group so many were still running, and `own` without any caller."""
    looked = tuple(LeftRunning(("list",), waited, count, own) for count in counts)
    return recording(left_running=looked, **fields)  # type: ignore[arg-type]


def back(after: float, *, steady: bool = True) -> Recording:
    """Steady so many seconds after new connections worked, at an RTO of two."""
    return recording(meanwhile=Recovery(steady, seconds(after), ("after 0.00 s: refused",)))


LEFT_BEHIND = {
    "expect_connects_given_up": Controls(
        kept=[partial(expect_connects_given_up, back(1.9))],
        broken=[
            partial(expect_connects_given_up, back(2.1)),
            partial(expect_connects_given_up, back(1.0, steady=False)),
        ],
        nothing=[lambda: expect_connects_given_up(recording())],
    ),
    "expect_none_left_running": Controls(
        kept=[
            partial(expect_none_left_running, left(0, 0)),
            # One may be a query of the service's own.
            partial(expect_none_left_running, left(1, 0)),
            # As many are there without any caller.
            partial(expect_none_left_running, left(4, own=4, declared=SINGLE)),
        ],
        broken=[
            partial(expect_none_left_running, left(0, 2)),
            partial(expect_none_left_running, left(1, declared=SINGLE)),
            partial(expect_none_left_running, left(3, own=1)),
        ],
        nothing=[
            lambda: expect_none_left_running(recording()),
            lambda: expect_none_left_running(left(0, 0, waited=0)),
        ],
    ),
    "expect_whole_after_failures": Controls(
        kept=[partial(expect_whole_after_failures, after_failures(4, 200, 200, 200))],
        broken=[
            partial(expect_whole_after_failures, after_failures(4, 200, 503)),
            partial(expect_whole_after_failures, after_failures(9, 500)),
        ],
        nothing=[
            lambda: expect_whole_after_failures(recording()),
            lambda: expect_whole_after_failures(after_failures(3, 503, succeeded=9)),
        ],
    ),
}
