"""What judgements on overload must accept and reject."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from brownout import Answer, Completion
from brownout.expectations import (
    expect_accepted_in_time,
    expect_as_before,
    expect_excess_answered,
    expect_excess_refused,
    expect_goodput,
)
from brownout.trial import Phase, Recording
from brownout.units import ms, seconds
from tests.core.judgements import Controls
from tests.core.made import GRAPHQL, answer, no_answer, problem, recording

__all__ = ["OVERLOAD_CONTROLS"]

SILENT = no_answer(Completion.NO_ANSWER, elapsed=seconds(3))


def served(count: int, milliseconds: float = 200) -> list[Answer]:
    return [answer(elapsed=ms(milliseconds))] * count


def refused(count: int, milliseconds: float = 5, status: int = 503) -> list[Answer]:
    return [answer(status, elapsed=ms(milliseconds), body=problem(status).body)] * count


def waited(after: float, milliseconds: float) -> list[Answer]:
    """As many as the service accepts at once, refused after so long."""
    return [replace(one, started=one.started + after) for one in refused(30, milliseconds)]


def spike(*groups: Sequence[Answer], lag: float = 0.001) -> Recording:
    """A spike with these answers, at D = 1 s."""
    answers = tuple(one for group in groups for one in group)
    phases = {"spike": Phase(400, 100.0, 101.0, (lag,) * 9)}
    return recording(notes={"spike": answers}, phases=phases)


def starved(count: int) -> list[Answer]:
    """Served in two seconds, in most of which the service did not run."""
    return [replace(answer(elapsed=seconds(2)), forgiven=seconds(1.5))] * count


def double(good: int, *, late: int = 0, forgiven: int = 0, lag: float = 0.001) -> Recording:
    """Ten seconds, of which the last is counted, with a plateau of ten a second; of the requests of
    each second, `good` are served within D, `late` later, and `forgiven` later because the service
    did not run. In the first eight all of them are served within D."""
    early = [answer(started=100 + number / 20, elapsed=ms(100)) for number in range(160)]
    groups = (served(good, 100), served(late, 2000), starved(forgiven), refused(1))
    last = [replace(one, started=109.5) for group in groups for one in group]
    answers = (*early, *last)
    phases = {
        "double": Phase(20, 100.0, 110.0, (lag,) * 9),
        "plateau": Phase(10, 99.0, 100.0),
    }
    return recording(notes={"double": answers}, phases=phases)


def capped(recorded: Recording, concurrency: int | None = 30) -> Recording:
    """The same for a service that declares how many requests it accepts at once."""
    budget = replace(recorded.declared.budget, concurrency=concurrency)
    return replace(recorded, declared=replace(recorded.declared, budget=budget))


def refusing(recorded: Recording, concurrency: int | None = 30) -> None:
    expect_excess_refused(capped(recorded, concurrency), "spike")


answering = partial(expect_excess_answered, name="spike")

OVERLOAD_CONTROLS = {
    "expect_accepted_in_time": Controls(
        kept=[
            lambda: expect_accepted_in_time(spike(served(20), refused(80)), "spike"),
            lambda: expect_accepted_in_time(spike(served(20), served(2, 1500)), "spike"),
            lambda: expect_accepted_in_time(spike(served(500), served(5, 1500)), "spike"),
        ],
        broken=[
            lambda: expect_accepted_in_time(spike(served(20), served(3, 1500)), "spike"),
            lambda: expect_accepted_in_time(spike(served(500), served(6, 1500)), "spike"),
            lambda: expect_accepted_in_time(spike(served(9, 2500), lag=0.2), "spike"),
        ],
        nothing=[
            lambda: expect_accepted_in_time(spike(refused(80)), "spike"),
            lambda: expect_accepted_in_time(spike(), "spike"),
            lambda: expect_accepted_in_time(spike(served(9, 1500), lag=0.2), "spike"),
            lambda: expect_accepted_in_time(spike(served(9)), "impulse"),
            lambda: expect_accepted_in_time(spike(served(9), starved(3)), "spike"),
        ],
    ),
    "expect_as_before": Controls(
        kept=[
            lambda: expect_as_before(served(5), [*refused(9), *served(5, 500)]),
            lambda: expect_as_before(served(5, 10), served(5, 109)),
        ],
        broken=[
            lambda: expect_as_before(served(5), [*served(5), *refused(1)]),
            lambda: expect_as_before(served(5), served(5, 700)),
            lambda: expect_as_before(served(5), served(4)),
        ],
        nothing=[
            lambda: expect_as_before([], served(5)),
            lambda: expect_as_before(served(5), []),
        ],
    ),
    "expect_excess_answered": Controls(
        kept=[
            lambda: answering(spike(served(20), refused(90, 900), refused(9, status=504))),
            lambda: answering(spike(served(20), refused(50, status=429))),
        ],
        broken=[
            lambda: answering(spike(served(20), refused(50), refused(1, status=500))),
            lambda: answering(spike(served(20), refused(50), [SILENT])),
            lambda: answering(spike(served(20), refused(50), refused(1, 1200))),
            lambda: answering(spike(refused(50, 2500), lag=0.2)),
        ],
        nothing=[
            lambda: answering(spike(served(20))),
            lambda: answering(spike()),
            lambda: answering(spike(refused(50, 1500), lag=0.2)),
        ],
    ),
    "expect_excess_refused": Controls(
        kept=[
            lambda: refusing(spike(served(20), refused(50), refused(30, 900))),
            lambda: refusing(spike(served(20), refused(50, status=429))),
            lambda: refusing(spike(served(20), refused(50), [GRAPHQL])),
            # Those that wait in vain make room for as many again.
            lambda: refusing(spike(served(20), refused(40), waited(0, 300), waited(0.3, 300))),
        ],
        broken=[
            lambda: refusing(spike(served(20), refused(40), waited(0, 300), waited(0.2, 300))),
            lambda: refusing(spike(served(20), refused(50), refused(1, status=500))),
            lambda: refusing(spike(served(20), refused(50), refused(1, status=504))),
            lambda: refusing(spike(served(20), refused(50), [SILENT])),
            lambda: refusing(spike(served(20), refused(40), refused(41, 500))),
            lambda: refusing(spike(served(20), refused(50, 1500), lag=0.2)),
            lambda: refusing(spike(served(20), served(80, 2000))),
        ],
        nothing=[
            lambda: refusing(spike(served(20), refused(80)), None),
            lambda: refusing(spike(served(20), refused(39))),
            lambda: refusing(spike()),
            lambda: refusing(spike(served(20), [GRAPHQL] * 80)),
            lambda: refusing(spike(served(20), refused(80, 500), lag=0.2)),
            lambda: refusing(
                spike(refused(40), waited(0, 1500), waited(0, 900), waited(1.5, 1500), lag=0.2)
            ),
        ],
    ),
    "expect_goodput": Controls(
        kept=[
            lambda: expect_goodput(double(10), "double"),
            lambda: expect_goodput(double(8, late=9), "double"),
            lambda: expect_goodput(double(7, forgiven=9), "double"),
        ],
        broken=[
            lambda: expect_goodput(double(0), "double"),
            lambda: expect_goodput(double(6), "double"),
            lambda: expect_goodput(double(6, late=9), "double"),
            lambda: expect_goodput(double(2, lag=0.2), "double"),
        ],
        nothing=[
            lambda: expect_goodput(double(6, lag=0.2), "double"),
            lambda: expect_goodput(double(6, forgiven=1), "double"),
            lambda: expect_goodput(spike(served(9)), "double"),
        ],
    ),
}
