"""The controls of the judgements on how requests share what they wait for."""

from dataclasses import replace
from functools import partial

from brownout import Answer, Breaker, Completion
from brownout.expectations import (
    expect_cheap_reconnecting,
    expect_cheap_replanning,
    expect_none_starved,
    expect_unaffected_by_lock,
    expect_unaffected_by_streams,
)
from brownout.trial import Exchange, Recording, SessionLook, WireStep
from brownout.units import ms
from tests.core.judgements import Controls
from tests.core.made import READ, answer, no_answer, recording, service

__all__ = ["SHARING"]


def beside(*answers: Answer) -> Recording:
    """Asked beside a locked table, at a D of a second."""
    return recording(notes={"beside": answers})


def queued(*slow: Answer) -> Recording:
    """A hundred requests, most of which took 50 ms."""
    return recording(notes={"queued": (*[answer(elapsed=ms(50))] * (100 - len(slow)), *slow)})


def starved_machine() -> Recording:
    """Each took 930 ms or 2 s, most of which is forgiven: of those that took longer, less."""
    usual = replace(answer(elapsed=ms(930)), forgiven=ms(870))
    late = replace(answer(elapsed=ms(2000)), forgiven=ms(1500))
    return recording(notes={"queued": (*[usual] * 80, *[late] * 20)})


def replanned(met: str, later: str = "+++", *, restarted: str = "+") -> Recording:
    """What three connections made of a changed schema: "+" succeeded, "-" failed."""

    def answers(outcomes: str) -> tuple[Answer, ...]:
        return tuple(answer(200 if one == "+" else 500) for one in outcomes)

    return recording(
        notes={
            "met list": answers(met),
            "later list": answers(later),
            "restarted met": answers(restarted),
            "restarted later": answers("+++"),
        }
    )


def with_statements(seen: Recording, *statements: str) -> Recording:
    """The same, where a plain request sends these."""
    steps = tuple(WireStep(100.0, 1, sql, "I") for sql in statements)
    return replace(seen, exchanges={"plain list": (Exchange((answer(),), steps),)})


def streaming(*asked: Answer, held: int = 3, alive: tuple[int, ...] = (200, 200)) -> Recording:
    """Asked while so many long answers were open, of a service with three connections, whose
    liveness answered so."""
    return recording(
        notes={"asked": asked, "held": (answer(),) * held},
        liveness=tuple(answer(status, started=100.0) for status in alive),
    )


def sessions(before: int, while_held: int, *asked: Answer, **streams: int) -> Recording:
    """The same with so many sessions, where four are declared, and six long answers by default."""
    looks = tuple(SessionLook(100.0, {"idle": count}) for count in (before, while_held))
    return replace(
        streaming(*(asked or (answer(),)), **{"held": 6, **streams}),  # type: ignore[arg-type]
        counted=looks,
    )


def reconnected(met: str, later: str = "++++++") -> Recording:
    """What requests made of three connections that were killed."""
    return replace(replanned(met, later), declared=service([READ]))


def with_breaker(seen: Recording, failures: int, workers: int = 1) -> Recording:
    """The same with a breaker that opens after so many failures in a row."""
    breaker = Breaker(failures=failures, rest=ms(200))
    return replace(seen, declared=service([READ], breaker=breaker, workers=workers))


def unanswered(count: int) -> Recording:
    """So many requests got no answer, which is no refusal."""
    lost = (no_answer(Completion.DROPPED),) * count
    return recording(notes={"met list": lost, "later list": (answer(),) * 6})


LATE = answer(elapsed=ms(300))
GIVEN_UP = answer(503, elapsed=ms(300))
REFUSED = answer(503, elapsed=ms(2))
FIND, COUNT = "select * from things where id = ?", "select count(*) from things"

SHARING = {
    "expect_cheap_reconnecting": Controls(
        kept=[
            partial(expect_cheap_reconnecting, reconnected("++++++")),
            partial(expect_cheap_reconnecting, reconnected("---+++")),
            partial(expect_cheap_reconnecting, with_breaker(reconnected("---+++"), 3)),
        ],
        broken=[
            partial(expect_cheap_reconnecting, with_breaker(reconnected("----++"), 4)),
            partial(expect_cheap_reconnecting, with_breaker(unanswered(4), 3)),
            partial(expect_cheap_reconnecting, with_breaker(reconnected("+++", "+++++-"), 3)),
            partial(expect_cheap_reconnecting, reconnected("----++")),
            partial(expect_cheap_reconnecting, reconnected("+++", "+++++-")),
        ],
        nothing=[
            lambda: expect_cheap_reconnecting(recording()),
            # The breaker opens at the third, and refuses the next.
            lambda: expect_cheap_reconnecting(with_breaker(reconnected("----++"), 3)),
            lambda: expect_cheap_reconnecting(with_breaker(reconnected("-++", "---+++"), 3)),
            lambda: expect_cheap_reconnecting(with_breaker(reconnected("-" * 7), 3, workers=2)),
        ],
    ),
    "expect_cheap_replanning": Controls(
        kept=[
            partial(expect_cheap_replanning, replanned("++++++")),
            partial(expect_cheap_replanning, replanned("---+++", restarted="---+")),
            partial(expect_cheap_replanning, with_statements(replanned("------+++"), FIND, COUNT)),
        ],
        broken=[
            partial(expect_cheap_replanning, with_statements(replanned("----+++"), FIND, FIND)),
            partial(expect_cheap_replanning, with_statements(replanned("----+++"), FIND, "begin")),
            partial(
                expect_cheap_replanning,
                with_statements(replanned("+", restarted="----"), FIND, COUNT),
            ),
            partial(expect_cheap_replanning, replanned("----++")),
            partial(expect_cheap_replanning, replanned("+++", "++-")),
            partial(expect_cheap_replanning, replanned("+++", restarted="----")),
            # One connection fails for ever: now and then, but never in all of a burst.
            partial(expect_cheap_replanning, replanned("+-++-++-", "++-+++")),
        ],
        nothing=[
            lambda: expect_cheap_replanning(recording()),
            lambda: expect_cheap_replanning(with_breaker(replanned("----++"), 3)),
        ],
    ),
    "expect_none_starved": Controls(
        kept=[
            partial(expect_none_starved, queued()),
            partial(expect_none_starved, queued(LATE, LATE)),
            partial(expect_none_starved, queued(*[REFUSED] * 30)),
            partial(expect_none_starved, starved_machine()),
        ],
        broken=[
            partial(expect_none_starved, queued(LATE, LATE, LATE)),
            partial(expect_none_starved, queued(*[GIVEN_UP] * 20)),
        ],
        nothing=[
            lambda: expect_none_starved(recording()),
            lambda: expect_none_starved(queued(*[GIVEN_UP] * 100)),
            # The kernel may give one worker more than another.
            lambda: expect_none_starved(
                replace(queued(*[GIVEN_UP] * 20), declared=service(workers=2))
            ),
        ],
    ),
    "expect_unaffected_by_lock": Controls(
        kept=[partial(expect_unaffected_by_lock, beside(answer(), answer(elapsed=ms(1000))))],
        broken=[
            partial(expect_unaffected_by_lock, beside(answer(), answer(503))),
            partial(expect_unaffected_by_lock, beside(answer(elapsed=ms(1200)))),
        ],
        nothing=[lambda: expect_unaffected_by_lock(recording())],
    ),
    "expect_unaffected_by_streams": Controls(
        kept=[
            partial(expect_unaffected_by_streams, streaming(answer(), answer(elapsed=ms(1000)))),
            partial(expect_unaffected_by_streams, streaming(answer(), alive=())),
            partial(expect_unaffected_by_streams, sessions(2, 4)),
            # One listens for all readers.
            partial(expect_unaffected_by_streams, sessions(4, 5)),
            partial(expect_unaffected_by_streams, sessions(4, 7)),
            # They were there before, whatever they are for.
            partial(expect_unaffected_by_streams, sessions(9, 12)),
        ],
        broken=[
            partial(expect_unaffected_by_streams, streaming(answer(), answer(503))),
            partial(expect_unaffected_by_streams, streaming(answer(elapsed=ms(1200)))),
            partial(expect_unaffected_by_streams, sessions(4, 10)),
            partial(expect_unaffected_by_streams, sessions(2, 8)),
            partial(expect_unaffected_by_streams, sessions(9, 15)),
            partial(expect_unaffected_by_streams, sessions(4, 10, answer(503))),
        ],
        nothing=[
            lambda: expect_unaffected_by_streams(recording()),
            # So few streams leave connections, even if each holds one.
            lambda: expect_unaffected_by_streams(streaming(answer(503), held=2)),
            lambda: expect_unaffected_by_streams(sessions(4, 6, held=2)),
            # It may be the threads that the streams hold.
            lambda: expect_unaffected_by_streams(streaming(answer(503), alive=(200, 503))),
            lambda: expect_unaffected_by_streams(streaming(answer(503), alive=())),
        ],
    ),
}
