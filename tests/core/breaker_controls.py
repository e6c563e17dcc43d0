"""What judgements on a breaker and a fallback must accept and reject."""

from datetime import UTC, datetime
from functools import partial

from brownout import Answer, Breaker, Degraded
from brownout.expectations import (
    expect_marked_as_stale,
    expect_opened_by_slow_calls,
    expect_shielded,
)
from brownout.trial import Exchange, WireStep
from brownout.units import ms, seconds
from tests.core.judgements import Controls
from tests.core.made import answer, problem, service

__all__ = ["BREAKER_CONTROLS"]

BREAKER = Breaker(failures=5, rest=ms(200))
SERVICE = service()
OK, GONE = answer(), problem(503)
BY_HEADER = Degraded(marker="Age", max_age=seconds(60))
BY_MEMBER = Degraded(marker="$.meta.as_of", max_age=seconds(60))


def asked(requests: int, attempts: int, *, milliseconds: float = 5) -> Exchange:
    """Requests during one second, in which seven trials are to be expected."""
    answers = tuple(
        answer(503, started=100 + number / requests, elapsed=ms(milliseconds))
        for number in range(requests)
    )
    step = WireStep(100.0, 1, "select", "I", hit=True)
    return Exchange(answers, (step,) * attempts)


def aged(value: str) -> Answer:
    return answer(headers={"Age": value})


def as_of(value: object) -> Answer:
    return answer(json={"meta": {"as_of": value}})


shielded = partial(expect_shielded, service=SERVICE, breaker=BREAKER)

BREAKER_CONTROLS = {
    "expect_marked_as_stale": Controls(
        kept=[
            lambda: expect_marked_as_stale([OK, GONE], [aged("7"), GONE], BY_HEADER),
            lambda: expect_marked_as_stale([OK], [as_of(12.5)], BY_MEMBER),
            lambda: expect_marked_as_stale([OK], [as_of(datetime.now(UTC).isoformat())], BY_MEMBER),
            lambda: expect_marked_as_stale(
                [answer(json={"stale": False})],
                [answer(json={"stale": True}, headers={"Age": "3"})],
                Degraded(marker="$.stale", max_age=seconds(60)),
            ),
        ],
        broken=[
            lambda: expect_marked_as_stale([OK], [aged("7"), OK], BY_HEADER),
            lambda: expect_marked_as_stale([OK], [aged("61")], BY_HEADER),
            lambda: expect_marked_as_stale([OK], [aged("old")], BY_HEADER),
            lambda: expect_marked_as_stale([aged("0")], [aged("7")], BY_HEADER),
            lambda: expect_marked_as_stale([OK], [as_of(True)], BY_MEMBER),
            lambda: expect_marked_as_stale([OK], [as_of("2001-01-01T00:00:00")], BY_MEMBER),
            lambda: expect_marked_as_stale([OK], [answer(body=b"-")], BY_MEMBER),
        ],
        nothing=[
            lambda: expect_marked_as_stale([OK], [], BY_HEADER),
            lambda: expect_marked_as_stale([OK], [GONE], BY_HEADER),
            lambda: expect_marked_as_stale([GONE], [aged("7")], BY_HEADER),
        ],
    ),
    "expect_opened_by_slow_calls": Controls(
        kept=[lambda: expect_opened_by_slow_calls(asked(10, 2), SERVICE)],
        broken=[lambda: expect_opened_by_slow_calls(asked(10, 3), SERVICE)],
        nothing=[lambda: expect_opened_by_slow_calls(Exchange((), ()), SERVICE)],
    ),
    "expect_shielded": Controls(
        kept=[lambda: shielded(asked(100, 0)), lambda: shielded(asked(100, 10))],
        broken=[
            lambda: shielded(asked(100, 11)),
            lambda: shielded(asked(100, 100)),
            lambda: shielded(asked(100, 5, milliseconds=300)),
        ],
        nothing=[lambda: shielded(asked(20, 20)), lambda: shielded(Exchange((), ()))],
    ),
}
