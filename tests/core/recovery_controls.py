"""The controls of the judgements on how the service comes back."""

from functools import partial

from brownout import Answer, Feed
from brownout.expectations import (
    expect_few_connects,
    expect_fresh_again,
    expect_recovered_meanwhile,
)
from brownout.observations import Recovery
from brownout.trial import Connects, Recording
from brownout.trial.gaps import Gap
from brownout.units import seconds
from tests.core.judgements import Controls
from tests.core.made import TOKEN, answer, recording, service

__all__ = ["RECOVERY"]


def meanwhile(after: float, *, steady: bool = True, pace: float | None = None) -> Recording:
    """Steady so long after the onset."""
    recovery = Recovery(steady, seconds(after), ("after 0.00 s: refused",))
    return recording(meanwhile=recovery, declared=service(pace=pace))


def connecting(*each_half_second: int, asked: int = 0) -> Recording:
    """So many connects in each half second from the 101st second on, and so many requests at its
    beginning. The service may have four sessions."""
    opened, looks = 0, [Connects(101.0, 0)]
    for number, made in enumerate(each_half_second, start=1):
        opened += made
        looks.append(Connects(101.0 + number / 2, opened))
    answers: tuple[Answer, ...] = tuple(answer(started=101.0) for _ in range(asked))
    return recording(connects=tuple(looks), answers=answers)


def fed(missed: Answer | None, later: Answer | None, *gaps: Gap) -> Recording:
    """What a feed showed last of a change under the fault, and of one after the heal in the 111th
    second; a change is shown within a second while nothing is broken, and RTO is two seconds."""
    shown = {"missed": missed, "later": later}
    return recording(
        declared=service(feed=Feed(change="select $1", path="/notes")),
        notes={name: (one,) for name, one in shown.items() if one is not None},
        gaps=gaps,
    )


def shows(*tokens: str, at: float = 112.0, status: int = 200) -> Answer:
    """The feed's answer at this moment."""
    return answer(status, json=list(tokens), started=at, elapsed=seconds(0))


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
    "expect_fresh_again": Controls(
        kept=[
            partial(expect_fresh_again, fed(shows("a", TOKEN), shows(TOKEN, at=113.9))),
            partial(
                expect_fresh_again, fed(shows(TOKEN), shows(TOKEN, at=114.5), Gap(112.0, 113.0))
            ),
        ],
        broken=[
            partial(expect_fresh_again, fed(shows("a", at=114.1), shows(TOKEN))),
            partial(expect_fresh_again, fed(shows(TOKEN), shows("a", at=114.1))),
            partial(expect_fresh_again, fed(shows(TOKEN), shows(TOKEN, at=114.1))),
            partial(expect_fresh_again, fed(shows(TOKEN, status=404), shows(TOKEN))),
        ],
        nothing=[
            lambda: expect_fresh_again(fed(None, None)),
            lambda: expect_fresh_again(recording()),
        ],
    ),
    "expect_recovered_meanwhile": Controls(
        kept=[partial(expect_recovered_meanwhile, meanwhile(1.9))],
        broken=[
            partial(expect_recovered_meanwhile, meanwhile(2.1)),
            partial(expect_recovered_meanwhile, meanwhile(1.0, steady=False)),
            # A round of two operations on three connections takes half a second.
            partial(expect_recovered_meanwhile, meanwhile(2.1, pace=12)),
        ],
        nothing=[
            lambda: expect_recovered_meanwhile(recording()),
            lambda: expect_recovered_meanwhile(meanwhile(2.1, pace=11)),
        ],
    ),
}
