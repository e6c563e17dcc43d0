"""What judgements on a breaker and a fallback must accept and reject."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

from brownout import Answer, Breaker, Degraded
from brownout.expectations import (
    expect_fallback_over,
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


def headed(name: str, value: str, *, age: str | None = None) -> Answer:
    return answer(headers={name: value} | ({} if age is None else {"Age": age}))


STALE = {flag: answer(json={"stale": flag}) for flag in (False, True)}


def as_of(value: object) -> Answer:
    return answer(json={"meta": {"as_of": value}})


def moment(age: float) -> datetime:
    """So many seconds before an answer came that `answer` makes."""
    ago = timedelta(seconds=time.monotonic() - answer().finished + age)
    return datetime.now(UTC) - ago


def cached(*degraded: Answer, fresh: Answer = OK) -> None:
    """Of a service that may answer without the database while nothing is broken."""
    expect_marked_as_stale([fresh], degraded, BY_HEADER, cached=True)


def later(
    degraded: Answer, by: Degraded = BY_HEADER, *, after: float = 3, cached: bool = False
) -> None:
    """So many seconds after an outage began."""
    gone_since = degraded.started - after
    expect_marked_as_stale([OK], [degraded], by, cached=cached, gone_since=gone_since)


def over(
    *again: Answer,
    fresh: Answer = OK,
    degraded: Answer | None = None,
    cached: bool = False,
    by: Degraded = BY_HEADER,
    **declared: object,
) -> None:
    """Asked again once a second after an outage, at an RTO of two seconds."""
    answers = {
        "fresh": [fresh],
        "degraded": [aged("3") if degraded is None else degraded],
        "again": [replace(one, started=130.0 + number) for number, one in enumerate(again)],
    }
    expect_fallback_over(answers, by, service(**declared), cached=cached)  # type: ignore[arg-type]


SOON = Degraded(marker="Age", max_age=seconds(4))
STALE_FOR = Degraded(marker="$.stale_for", max_age=seconds(4))
FLAG = Degraded(marker="X-Stale", max_age=seconds(60))


def by(marker: str, fresh: Answer, degraded: Answer) -> None:
    declared = Degraded(marker=marker, max_age=seconds(60))
    expect_marked_as_stale([fresh], [degraded], declared)


shielded = partial(expect_shielded, service=SERVICE, breaker=BREAKER)


def slow(exchange: Exchange, trials: int | None = None) -> None:
    breaker = replace(BREAKER, trials=trials)
    expect_opened_by_slow_calls(exchange, replace(SERVICE, breaker=breaker))


def trying(exchange: Exchange, trials: int) -> None:
    """Of a breaker that lets so many requests through after each rest."""
    expect_shielded(exchange, SERVICE, replace(BREAKER, trials=trials))


BREAKER_CONTROLS = {
    "expect_fallback_over": Controls(
        kept=[
            lambda: over(OK),
            # It serves stale data while it reads anew, or a breaker rests.
            lambda: over(aged("9"), OK),
            lambda: over(aged("9"), aged("9"), aged("9"), OK),
            lambda: over(
                headed("X-Cache", "HIT"),
                headed("X-Cache", "MISS"),
                fresh=headed("X-Cache", "MISS"),
                degraded=headed("X-Cache", "HIT"),
                by=Degraded(marker="X-Cache", max_age=seconds(60)),
            ),
        ],
        broken=[
            lambda: over(aged("9"), aged("10"), aged("11")),
            lambda: over(*[aged("9")] * 5, breaker=Breaker(failures=5, rest=seconds(2))),
            lambda: over(
                *[STALE[True]] * 3,
                fresh=STALE[False],
                degraded=STALE[True],
                by=Degraded(marker="$.stale", max_age=seconds(60)),
            ),
        ],
        nothing=[
            over,
            lambda: over(aged("9"), aged("10")),
            lambda: over(*[aged("9")] * 3, breaker=Breaker(failures=5, rest=seconds(2))),
            # It answers from a cache, or marks each answer.
            lambda: over(*[aged("9")] * 3, cached=True),
            lambda: over(*[aged("9")] * 3, fresh=aged("0")),
            lambda: over(OK, degraded=GONE),
            lambda: over(OK, degraded=OK),
        ],
    ),
    "expect_marked_as_stale": Controls(
        kept=[
            lambda: expect_marked_as_stale([OK, GONE], [aged("7"), GONE], BY_HEADER),
            lambda: expect_marked_as_stale([OK], [as_of(12.5)], BY_MEMBER),
            lambda: expect_marked_as_stale([OK], [as_of(moment(30).isoformat())], BY_MEMBER),
            lambda: by("$.stale", STALE[False], answer(json={"stale": True}, headers={"Age": "3"})),
            lambda: by("$.stale", STALE[False], answer(json={"stale": True, "age_seconds": 3})),
            lambda: by("$.stale", STALE[False], answer(json={"stale": True, "cachedAgeMs": 59e3})),
            # Whether this is the moment of the data is not said, so any of them may be.
            lambda: by(
                "$.stale",
                STALE[False],
                answer(json={"stale": True, "updated": "2001-01-01", "age": "PT1M"}),
            ),
            lambda: by(
                "$.cache",
                answer(json={"cache": {"stale": False}}),
                answer(json={"cache": {"stale": True, "fetched_at": moment(30).timestamp()}}),
            ),
            lambda: by(
                "$.cache", OK, answer(json={"cache": {"cachedAt": format_datetime(moment(9))}})
            ),
            # A marker that is always there.
            lambda: by("X-Cache", headed("X-Cache", "MISS"), headed("X-Cache", "HIT", age="3")),
            lambda: by("X-From", headed("X-From", "db-1"), headed("X-From", "cache-1", age="3")),
            lambda: by("Age", headed("Age", "0"), headed("Age", "0")),
            lambda: by("$.meta.as_of", as_of(str(moment(0))), as_of(str(moment(3)))),
            *(
                partial(by, "$.stale_for", OK, answer(json={"stale_for": text}))
                for text in ("3s", "0.5 s", "900ms", "1m0s", "PT3.2S", "0:00:03.1")
            ),
            # Answers may come from a cache that is still fresh.
            lambda: cached(OK, aged("7")),
            lambda: cached(aged("7"), fresh=aged("7")),
            # No data is younger than the outage, but for the rounding of its age.
            lambda: later(aged("2")),
            lambda: later(as_of(moment(3).isoformat()), BY_MEMBER),
            lambda: later(headed("X-Stale", "1", age="3"), FLAG),
            lambda: later(aged("0"), after=0.9),
            # It may have been fresh for some time.
            lambda: later(answer(json={"stale_for": 1}), STALE_FOR, after=5.5),
        ],
        broken=[
            lambda: expect_marked_as_stale([OK], [aged("7"), OK], BY_HEADER),
            lambda: expect_marked_as_stale([OK], [aged("61")], BY_HEADER),
            lambda: expect_marked_as_stale([OK], [aged("old")], BY_HEADER),
            lambda: expect_marked_as_stale([aged("4")], [aged("7")], BY_HEADER),
            lambda: cached(OK, aged("61")),
            lambda: by("X-Cache", headed("X-Cache", "HIT"), headed("X-Cache", "HIT", age="3")),
            lambda: by("X-Stale", OK, headed("X-Stale", "false", age="3")),
            lambda: by("$.stale", OK, answer(json={"stale": True})),
            lambda: by("$.stale", OK, answer(json={"stale": True, "messages": 3})),
            lambda: by("$.stale", STALE[True], answer(json={"stale": True, "age_seconds": 3})),
            lambda: by("$.cache", OK, answer(json={"cache": {"stale": False, "age": 3}})),
            lambda: by("$.stale_for", OK, answer(json={"stale_for": "61s"})),
            lambda: by("$.as_of", OK, answer(json={"as_of": moment(70).timestamp() * 1000})),
            lambda: by("$.as_of", OK, answer(json={"as_of": "2099-01-01T00:00:00Z"})),
            lambda: by("Age", OK, aged("nan")),
            lambda: later(aged("0")),
            lambda: later(as_of(moment(0).isoformat()), BY_MEMBER),
            lambda: later(as_of(moment(-4).isoformat()), BY_MEMBER),
            lambda: later(headed("X-Stale", "1"), FLAG),
            lambda: later(aged("4"), SOON, after=5.5),
            lambda: later(OK, SOON, after=5.5, cached=True),
            lambda: expect_marked_as_stale([OK], [as_of(True)], BY_MEMBER),
            lambda: expect_marked_as_stale([OK], [as_of("2001-01-01T00:00:00")], BY_MEMBER),
            lambda: expect_marked_as_stale([OK], [answer(body=b"-")], BY_MEMBER),
        ],
        nothing=[
            lambda: expect_marked_as_stale([OK], [], BY_HEADER),
            lambda: expect_marked_as_stale([OK], [GONE], BY_HEADER),
            lambda: expect_marked_as_stale([GONE], [aged("7")], BY_HEADER),
            lambda: cached(OK),
            lambda: later(OK, SOON, cached=True),
        ],
    ),
    "expect_opened_by_slow_calls": Controls(
        kept=[
            lambda: slow(asked(10, 2)),
            lambda: slow(asked(10, 2), 1),
        ],
        broken=[
            lambda: slow(asked(10, 3)),
            lambda: slow(asked(10, 3), 1),
            lambda: slow(asked(50, 21), 10),
        ],
        nothing=[
            lambda: slow(Exchange((), ())),
            # No more than these reach a pool of three, whatever the breaker does.
            lambda: slow(asked(10, 3), 3),
        ],
    ),
    "expect_shielded": Controls(
        kept=[
            lambda: shielded(asked(100, 0)),
            lambda: shielded(asked(100, 10)),
            lambda: trying(asked(100, 31), 3),
        ],
        broken=[
            lambda: shielded(asked(100, 51)),
            lambda: shielded(asked(300, 106)),
            lambda: trying(asked(100, 11), 1),
            lambda: trying(asked(100, 32), 3),
            lambda: shielded(asked(100, 100)),
            lambda: shielded(asked(100, 5, milliseconds=300)),
        ],
        nothing=[
            lambda: shielded(asked(20, 20)),
            lambda: shielded(Exchange((), ())),
            # As many as ten trials at once, which are not declared.
            lambda: shielded(asked(100, 11)),
            lambda: shielded(asked(300, 105)),
            lambda: trying(asked(100, 60), 10),
        ],
    ),
}
