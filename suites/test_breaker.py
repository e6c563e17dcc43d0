"""A declared circuit breaker keeps requests away and comes back; a declared fallback says so."""

from collections.abc import Sequence
from functools import partial

import pytest

from brownout.declaration import Operation
from brownout.declaration.needs import breaker_for_slowness
from brownout.expectations import (
    expect_all_succeed,
    expect_each,
    expect_fallback_over,
    expect_marked_as_stale,
    expect_opened_by_slow_calls,
    expect_shielded,
)
from brownout.observations import Answer
from brownout.trial import Exchange, Recording
from brownout.trial.plan import BREAKING, FALLBACK


@pytest.mark.behaviour("B1")
@pytest.mark.trials(BREAKING)
def test_an_open_breaker_keeps_requests_away(brownout_recording: Recording) -> None:
    """Attempts are counted on the way to the database, once failures have gone on for long enough
    to open one that counts a rate, too."""
    declared = brownout_recording.declared
    (exchange,) = brownout_recording.exchanges["open"]
    expect_shielded(exchange, declared, declared.required_breaker())


@pytest.mark.behaviour("B2")
@pytest.mark.trials(BREAKING)
def test_a_success_closes_the_breaker(brownout_recording: Recording) -> None:
    """After a rest, when the database works again."""
    expect_all_succeed(brownout_recording.note("closed"))


@pytest.mark.behaviour("B3")
@pytest.mark.trials(BREAKING)
def test_an_abandoned_trial_does_not_hold_the_breaker(brownout_recording: Recording) -> None:
    """Its caller goes away while it is under way."""
    expect_all_succeed(brownout_recording.note("closed again"))


@pytest.mark.behaviour("B4", needs=breaker_for_slowness)
@pytest.mark.trials(BREAKING)
def test_slow_calls_open_the_breaker(brownout_recording: Recording) -> None:
    """Slowness usually grows."""
    judge = partial(expect_opened_by_slow_calls, service=brownout_recording.declared)
    slow = brownout_recording.exchanges.get("slow", ())
    expect_each({str(number): one for number, one in enumerate(slow)}, judge)


@pytest.mark.behaviour("B5")
@pytest.mark.trials(BREAKING)
def test_errors_of_callers_do_not_open_the_breaker(brownout_recording: Recording) -> None:
    """However many there are in a row: the database has answered them."""
    expect_all_succeed(brownout_recording.note("after callers' errors"))


@pytest.mark.behaviour("B6")
@pytest.mark.trials(FALLBACK)
def test_stale_data_is_marked_with_its_age(brownout_recording: Recording) -> None:
    """And is not older than the service declares, whether the database is gone or silent."""
    recording = brownout_recording
    noted = {one.name: (one, fresh) for one, fresh in recording.noted("fresh")}
    outage = recording.injected[0]

    def judge(one: tuple[Operation, tuple[Answer, ...]], *, silent: bool) -> None:
        operation, fresh = one
        assert operation.degraded is not None
        kind = "silent" if silent else "degraded"
        exchanges = recording.exchanges.get(f"fresh {operation.name}", ())
        # Where the wire is not read, the service may have a clock of its own; and between outage
        # and black hole it may have read by itself.
        certain = exchanges and outage.felt and operation.needs_database and not silent
        expect_marked_as_stale(
            fresh,
            recording.note(f"{kind} {operation.name}"),
            operation.degraded,
            cached=_may_be_cached(exchanges),
            gone_since=outage.made if certain else None,
        )

    judges = {
        f"{name} {kind}": partial(judge, one, silent=kind == "silent")
        for name, one in noted.items()
        for kind in ("degraded", "silent")
        if kind == "degraded" or recording.note(f"{kind} {name}")
    }
    expect_each(judges, lambda judged: judged())


@pytest.mark.behaviour("B6")
@pytest.mark.trials(FALLBACK)
def test_a_fallback_ends_with_the_outage(brownout_recording: Recording) -> None:
    """When the database works again, the answers are fresh, and not marked."""
    recording = brownout_recording

    def judge(operation: Operation) -> None:
        assert operation.degraded is not None
        kinds = ("fresh", "degraded", "again")
        expect_fallback_over(
            {kind: recording.note(f"{kind} {operation.name}") for kind in kinds},
            operation.degraded,
            recording.declared,
            cached=_may_be_cached(recording.exchanges.get(f"fresh {operation.name}", ())),
        )

    expect_each({one.name: one for one, _ in recording.noted("fresh")}, judge)


def _may_be_cached(fresh: Sequence[Exchange]) -> bool:
    """Whether an answer may come without the database while nothing is broken: unless each was seen
    to read."""
    return not fresh or not all(exchange.reads for exchange in fresh)
