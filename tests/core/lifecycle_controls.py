"""The controls of the judgements on starting and stopping."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from brownout import Answer, Completion, Health
from brownout.expectations import (
    expect_alive_without_database,
    expect_ready_with_database,
    expect_stopped,
    expect_under_way_finished,
    expect_unready_while_draining,
)
from brownout.observations import Recovery
from brownout.trial import Recording, Started, Stopped
from brownout.units import seconds
from tests.core.judgements import Controls
from tests.core.made import WRITE, answer, injected, no_answer, recording, service

__all__ = ["LIFECYCLE"]

STARTED = Started(7, launched=103.0, alive_within=seconds(4))
ENDED = replace(STARTED, ended=103.5, code=3, log=("no database",))
CLOSED = replace(STARTED, opened=False)
STOPPED = Stopped(101.0, 103.0, 0, within=seconds(5), felt=2)
STUCK = replace(STOPPED, ended=None, code=None)
LOCKED = (injected(100.0, 100.5, 102.0, 102.5), injected(102.9, 102.95, 110.0, 111.0))
NO_ROUTES = service(health=Health(live=None, ready=None))
LONG_PERIOD = service(health=Health(live="/live", ready="/ready", period=seconds(10)))
REFUSED = Completion.CONNECTION_REFUSED


def probes(statuses: str, start: float = 103.0) -> tuple[Answer, ...]:
    """One probe a half second: "+" passes, "-" fails, "." is refused."""
    return tuple(
        no_answer(REFUSED, started=at)
        if one == "."
        else answer(200 if one == "+" else 503, started=at)
        for at, one in ((start + number / 2, one) for number, one in enumerate(statuses))
    )


def started(live: str, ready: str, start: Started = STARTED, **fields: Any) -> Recording:
    """Started under a fault that heals in the 110th second; probes from the launch on."""
    return recording(
        liveness=probes(live), readiness=probes(ready), started=start, injected=LOCKED, **fields
    )


def appeared(
    after: float | None, *, steady: bool = True, start: Started = STARTED, **fields: Any
) -> Recording:
    """Ready so long after the database appeared; None: never."""
    return recording(
        started=start,
        injected=LOCKED,
        readiness=probes("+", 111.5),
        ready_again=None if after is None else seconds(after),
        recovery=Recovery(steady, seconds(after or 2), ("after 0.00 s: refused",)),
        **fields,
    )


def under_way(status: int | None, *, rehearsed: int = 200, took: float = 1.0) -> Recording:
    """A read asked half a second before SIGTERM; None: it was dropped. Without SIGTERM it takes
    1.2 s."""
    lasting = timedelta(seconds=took)
    seen = (
        no_answer(Completion.DROPPED, started=100.5, elapsed=lasting)
        if status is None
        else answer(status, started=100.5, elapsed=lasting)
    )
    other = answer(503, operation=WRITE, started=100.5, elapsed=lasting)
    notes = {
        "rehearsed": (answer(rehearsed, elapsed=seconds(1.2)), answer(503, operation=WRITE)),
        "under way": (seen, other),
    }
    return recording(stopped=STOPPED, notes=notes)


def at_a_pace(*, dropped: bool) -> Recording:
    """Of three requests, two were sent before SIGTERM, of which the second may have been dropped.
    The third had its turn only then, when the port was closed."""
    last = answer(started=100.8, elapsed=seconds(1.0))
    lost = no_answer(Completion.DROPPED, started=100.8, elapsed=seconds(0.3))
    late = no_answer(REFUSED, started=101.3, elapsed=seconds(0.001))
    first = answer(started=100.3, elapsed=seconds(1.5))
    notes = {
        "rehearsed": (answer(elapsed=seconds(1.5)),) * 3,
        "under way": (first, lost if dropped else last, late),
    }
    return recording(stopped=STOPPED, notes=notes)


def queued(dropped: int, *, felt: int = 2, broken: int = 0) -> Recording:
    """Of three requests that were under way at SIGTERM, so many were dropped and so many got 500;
    the lock was felt by so many."""
    answers = (
        *[no_answer(Completion.DROPPED, started=100.5, elapsed=seconds(1))] * dropped,
        *[answer(500, started=100.5, elapsed=seconds(1))] * broken,
        *[answer(started=100.5, elapsed=seconds(1))] * (3 - dropped - broken),
    )
    notes = {"rehearsed": (answer(elapsed=seconds(1.2)),) * 3, "under way": answers}
    return recording(stopped=replace(STOPPED, felt=felt), notes=notes)


def draining(statuses: str, stop: Stopped = STOPPED, **fields: Any) -> Recording:
    """Readiness every half second from SIGTERM on."""
    return recording(stopped=stop, readiness=probes(statuses, 101.0), injected=LOCKED, **fields)


LIFECYCLE = {
    "expect_alive_without_database": Controls(
        kept=[
            partial(expect_alive_without_database, started("..++++", "..----")),
            partial(expect_alive_without_database, started("..++", "....")),
            # It is ready once the database is there, in the 110th second.
            partial(expect_alive_without_database, started("+" * 18, "." * 14 + "++++")),
            partial(expect_alive_without_database, started("", "....", declared=NO_ROUTES)),
        ],
        broken=[
            partial(expect_alive_without_database, started("..", "..", ENDED)),
            partial(expect_alive_without_database, started("++++", "--+-")),
            partial(expect_alive_without_database, started("......", "......")),
            partial(expect_alive_without_database, started("......", "", declared=service())),
            partial(expect_alive_without_database, started("", "", CLOSED, declared=NO_ROUTES)),
        ],
        nothing=[
            lambda: expect_alive_without_database(recording()),
            lambda: expect_alive_without_database(started("", "--")),
        ],
    ),
    "expect_ready_with_database": Controls(
        kept=[
            partial(expect_ready_with_database, appeared(1.9)),
            partial(expect_ready_with_database, appeared(None, declared=NO_ROUTES)),
        ],
        broken=[
            partial(expect_ready_with_database, appeared(2.1)),
            partial(expect_ready_with_database, appeared(None)),
            partial(expect_ready_with_database, appeared(1.0, steady=False)),
            partial(expect_ready_with_database, appeared(1.0, same_process=False)),
            partial(expect_ready_with_database, appeared(None, start=ENDED)),
        ],
        nothing=[lambda: expect_ready_with_database(recording())],
    ),
    "expect_under_way_finished": Controls(
        kept=[
            partial(expect_under_way_finished, under_way(200)),
            partial(expect_under_way_finished, at_a_pace(dropped=False)),
            partial(expect_under_way_finished, queued(1)),
            partial(expect_under_way_finished, queued(2, felt=1)),
        ],
        broken=[
            partial(expect_under_way_finished, under_way(None)),
            partial(expect_under_way_finished, under_way(None, took=1.3)),
            partial(expect_under_way_finished, under_way(500)),
            partial(expect_under_way_finished, at_a_pace(dropped=True)),
            partial(expect_under_way_finished, queued(2)),
            partial(expect_under_way_finished, queued(1, felt=3)),
            partial(expect_under_way_finished, queued(0, broken=1)),
            partial(expect_under_way_finished, queued(1, broken=1)),
            # The pool is closed before the server: the statement ends, and the next one fails.
            partial(expect_under_way_finished, under_way(500, took=1.22)),
            partial(expect_under_way_finished, under_way(500, took=1.36)),
        ],
        nothing=[
            lambda: expect_under_way_finished(recording()),
            lambda: expect_under_way_finished(under_way(200, took=0.4)),
            lambda: expect_under_way_finished(under_way(503, took=1.44)),
            lambda: expect_under_way_finished(queued(3, felt=0)),
            lambda: expect_under_way_finished(under_way(None, rehearsed=503)),
        ],
    ),
    "expect_stopped": Controls(
        kept=[partial(expect_stopped, recording(stopped=STOPPED))],
        broken=[partial(expect_stopped, recording(stopped=STUCK))],
        nothing=[lambda: expect_stopped(recording())],
    ),
    "expect_unready_while_draining": Controls(
        kept=[
            partial(expect_unready_while_draining, draining("++-.")),
            partial(expect_unready_while_draining, draining("....")),
            partial(expect_unready_while_draining, draining("+")),
            # It ends sooner than a period, which is of 10 s here.
            partial(expect_unready_while_draining, draining("++-.", declared=LONG_PERIOD)),
            partial(expect_unready_while_draining, draining("", declared=LONG_PERIOD)),
            # The process may not have noticed SIGTERM yet.
            partial(expect_unready_while_draining, draining("+", declared=LONG_PERIOD)),
            # The next process, which starts in the 103rd second, may be ready.
            partial(expect_unready_while_draining, draining("....+++")),
        ],
        broken=[
            partial(expect_unready_while_draining, draining("++++")),
            partial(expect_unready_while_draining, draining("---+")),
            partial(expect_unready_while_draining, draining("-+++", STUCK)),
        ],
        nothing=[
            lambda: expect_unready_while_draining(recording()),
            lambda: expect_unready_while_draining(draining("++++", declared=NO_ROUTES)),
            lambda: expect_unready_while_draining(draining("++++", declared=LONG_PERIOD)),
            lambda: expect_unready_while_draining(draining("-+++", declared=LONG_PERIOD)),
        ],
    ),
}
