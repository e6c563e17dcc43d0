"""What stays after a failure, or beside requests that succeed, is judged by the suites, too."""

from dataclasses import replace

import pytest

from brownout import Answer, Degraded, Operation, Streaming
from brownout.observations import Recovery
from brownout.trial import Exchange, Recording, SessionLook, Trial, WireStep
from brownout.trial.plan import (
    ENDED_IN_USE,
    FALLBACK,
    FOUND_MISTAKES,
    HELD_OPEN,
    LOST_COMMIT,
    SWITCHOVER,
    WRITE_HISTORIES,
)
from brownout.units import seconds
from tests.core.made import READ, WRITE, answer, problem, recording, service
from tests.core.suites_on_recordings import verdicts

KEYED = replace(WRITE, idempotency_header="Idempotency-Key")
MENU = Operation.read("menu", "GET", "/menu", degraded=Degraded(marker="Age", max_age=seconds(60)))
BACK = Recovery(True, seconds(0.1), ())


def looks(*counts: int) -> tuple[SessionLook, ...]:
    return tuple(SessionLook(112.0, {"idle": count}) for count in counts)


@pytest.mark.parametrize(("status", "verdict"), [(500, "broken"), (422, "kept")])
def test_a_value_that_the_driver_refuses(status: int, verdict: str) -> None:
    found = recording(FOUND_MISTAKES, injected=(), notes={"found": (problem(status),)})
    assert verdicts(found, "E7") == {"E7": verdict}


@pytest.mark.parametrize(("sessions", "verdict"), [(9, "broken"), (5, "kept"), (4, "kept")])
def test_streams_with_connections_of_their_own(sessions: int, verdict: str) -> None:
    """Nine: three of the pool, and one of each of six streams."""
    held = recording(
        HELD_OPEN,
        declared=service(streaming=Streaming(path="/events")),
        notes={"asked": (answer(),) * 3, "held": (answer(),) * 6},
        counted=looks(4, sessions),
    )
    assert verdicts(held, "P12") == {"P12": verdict}


@pytest.mark.parametrize("trial", [SWITCHOVER, ENDED_IN_USE, LOST_COMMIT], ids=lambda one: one.id)
@pytest.mark.parametrize(("sessions", "verdict"), [(7, "broken"), (4, "kept")])
def test_a_pool_that_was_replaced(trial: Trial, sessions: int, verdict: str) -> None:
    seen = recording(trial, counted=looks(sessions), recovery=BACK)
    assert verdicts(seen, "P1") == {"P1": verdict}
    assert verdicts(replace(seen, counted=()), "P1") == {"P1": "not assessed"}


@pytest.mark.parametrize(("last", "verdict"), [(409, "broken"), (201, "kept")])
def test_a_key_whose_first_request_failed(last: int, verdict: str) -> None:
    first, done = answer(504, operation=KEYED), answer(201, operation=KEYED, token="o")  # noqa: S106
    again = tuple(
        answer(status, operation=KEYED, started=started)
        for status, started in ((409, 130.0), (409, 131.0), (last, 132.0))
    )
    seen = recording(
        WRITE_HISTORIES,
        declared=service([READ, KEYED]),
        notes={"history place": (first, done, *again), "asked again place": again},
    )
    assert verdicts(seen, "C6") == {"C6": verdict}


def menu(*again: Answer) -> Recording:
    """An outage in which the menu is old, and what came of it then, once a second."""
    fresh = answer(operation=MENU, started=100.0)
    read = WireStep(100.0, 1, "select * from menu", "I")
    stale = answer(operation=MENU, started=103.0, headers={"Age": "3"})
    return recording(
        FALLBACK,
        declared=service([READ, MENU]),
        notes={
            "fresh menu": (fresh,),
            "degraded menu": (stale,),
            "again menu": tuple(replace(one, started=112.0 + n) for n, one in enumerate(again)),
        },
        exchanges={"fresh menu": (Exchange((fresh,), (read,)),)},
        recovery=BACK,
    )


def test_a_fallback_after_the_outage() -> None:
    fresh, stale = answer(operation=MENU), answer(operation=MENU, headers={"Age": "9"})
    assert verdicts(menu(stale, stale, stale), "B6") == {"B6": "broken"}
    assert verdicts(menu(stale, fresh), "B6") == {"B6": "kept"}
