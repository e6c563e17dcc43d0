"""The controls of the judgements on how the service comes back."""

from functools import partial

from brownout import Answer
from brownout.expectations import expect_few_connects, expect_recovered_meanwhile
from brownout.observations import Recovery
from brownout.trial import Connects, Recording
from brownout.units import seconds
from tests.core.judgements import Controls
from tests.core.made import answer, recording

__all__ = ["RECOVERY"]


def meanwhile(after: float, *, steady: bool = True) -> Recording:
    """Steady so long after the onset."""
    return recording(meanwhile=Recovery(steady, seconds(after), ("after 0.00 s: refused",)))


def connecting(*each_half_second: int, asked: int = 0) -> Recording:
    """So many connects in each half second from the 101st second on, and so many requests at its
    beginning. The service may have four sessions."""
    opened, looks = 0, [Connects(101.0, 0)]
    for number, made in enumerate(each_half_second, start=1):
        opened += made
        looks.append(Connects(101.0 + number / 2, opened))
    answers: tuple[Answer, ...] = tuple(answer(started=101.0) for _ in range(asked))
    return recording(connects=tuple(looks), answers=answers)


RECOVERY = {
    "expect_few_connects": Controls(
        kept=[
            partial(expect_few_connects, connecting(0, 0)),
            partial(expect_few_connects, connecting(6, 6, 6)),
            partial(expect_few_connects, connecting(6, 6 + 30, 0, asked=10)),
        ],
        broken=[
            partial(expect_few_connects, connecting(6, 7)),
            partial(expect_few_connects, connecting(0, 0, 0, 13, 0)),
            partial(expect_few_connects, connecting(6, 6 + 31, 0, asked=10)),
            # The requests of long ago explain nothing.
            partial(expect_few_connects, connecting(0, 0, 0, 0, 0, 13, 0, asked=10)),
        ],
        nothing=[
            lambda: expect_few_connects(recording()),
            lambda: expect_few_connects(connecting(5)),
        ],
    ),
    "expect_recovered_meanwhile": Controls(
        kept=[partial(expect_recovered_meanwhile, meanwhile(1.9))],
        broken=[
            partial(expect_recovered_meanwhile, meanwhile(2.1)),
            partial(expect_recovered_meanwhile, meanwhile(1.0, steady=False)),
        ],
        nothing=[lambda: expect_recovered_meanwhile(recording())],
    ),
}
