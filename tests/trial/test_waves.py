"""Requests are under way when the fault begins; then come waves, and the health routes' time."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import cast

import pytest

from brownout import Budget, Completion, FaultNotFelt, Health, Kind, NotAssessable, Operation
from brownout.faults import (
    BlackHole,
    Direction,
    Fault,
    Latency,
    Outage,
    RefusedAuthentication,
    Reset,
    TerminatedBackends,
)
from brownout.trial import LatencyOfDeadline, Stage, Trial
from brownout.trial.probe import Probe
from brownout.trial.watch import HealthWatch, unready_within
from brownout.trial.waves import run_waves
from brownout.units import ms, seconds
from tests.core.fakes import FakePostgres, FakeService
from tests.core.made import READ, WRITE, service
from tests.core.peer import DROP, OK, SILENCE, Peer, Reply, Request, serving, whole
from tests.trial.staged import staged

pytestmark = pytest.mark.asyncio

OUTAGE = Trial("outage", Outage())
FREE = Operation.read("free", "GET", "/free", needs_database=False)
HASTY = Health(live=None, ready=None, period=ms(20), threshold=1)


class Breakable:
    """A service that answers 503 while a fault is in force."""

    def __init__(self) -> None:
        self.in_force: list[Fault] = []
        self.before: list[Request] = []
        self.under: list[Request] = []

    def switch(self, fault: Fault, on: bool) -> None:
        """A fault comes or goes."""
        assert (fault in self.in_force) is not on
        (self.in_force.append if on else self.in_force.remove)(fault)

    async def __call__(self, request: Request) -> Reply:
        (self.under if self.in_force else self.before).append(request)
        return whole(503) if self.in_force else OK


async def waves(
    trial: Trial,
    postgres: FakePostgres,
    answer: Callable[[Request], Awaitable[Reply]] | Reply,
    *,
    operations: tuple[Operation, ...] = (READ, FREE, WRITE),
    workers: int = 1,
    patience: timedelta | None = None,
) -> tuple[Stage, Peer]:
    """What happened in the trial."""
    declared = service(operations, workers=workers, health=HASTY)
    async with (
        serving(answer) as peer,
        staged(peer, declared, postgres, patience=patience) as stage,
    ):
        await run_waves(trial, stage)
    return stage, peer


# -- who asks ------------------------------------------------------------------------------------


async def test_requests_are_under_way_before_the_fault_and_the_waves_come_within_it() -> None:
    broken = Breakable()
    stage, _ = await waves(OUTAGE, FakePostgres(switch=broken.switch), broken)
    assert broken.in_force == []
    assert len(broken.before) >= 1
    [made] = stage.injected
    assert made.fault == "Outage()"
    assert min(one.finished for one in stage.answers) <= made.begun
    for wave in (stage.notes["wave 1"], stage.notes["wave 2"]):
        assert all(made.made <= one.started and one.finished <= made.healing for one in wave)
        assert all(one.status == 503 for one in wave)
        assert Counter(one.operation for one in wave) == {"list": 3, "place": 3}
    assert list(stage.notes) == ["wave 1", "wave 2"]


@pytest.mark.parametrize("fault", [Reset(), TerminatedBackends(), Outage()])
async def test_before_a_fault_that_ends_idle_connections_all_are_opened(fault: Fault) -> None:
    postgres = FakePostgres()
    await waves(Trial("x", fault, ask=["list"], waves=1), postgres, OK)
    first, *_ = postgres.made
    assert isinstance(first, Latency) is not isinstance(fault, Outage), (
        "so each query takes a while"
    )


async def test_a_wave_is_as_wide_as_the_pools_together_times_its_width() -> None:
    trial = Trial("x", Outage(), ask=["list"], waves=1, width=2)
    stage, _ = await waves(trial, FakePostgres(), whole(503), workers=2)
    assert len(stage.notes["wave 1"]) == 12


@pytest.mark.parametrize(("width", "count"), [(0.01, 1), (0.5, 2), (1, 3), (1.4, 4)])
async def test_a_narrow_wave_has_one_request_at_least(width: float, count: int) -> None:
    trial = Trial("x", Outage(), ask=["list"], waves=1, width=width)
    stage, _ = await waves(trial, FakePostgres(), whole(503))
    assert len(stage.notes["wave 1"]) == count


async def test_only_what_the_trial_names_is_asked() -> None:
    _, peer = await waves(Trial("x", Outage(), ask=Kind.WRITE), FakePostgres(), whole(503))
    assert {request.method for request in peer.requests} == {"POST"}
    _, peer = await waves(Trial("x", Outage(), ask=["free"]), FakePostgres(), whole(503))
    assert {request.path for request in peer.requests} == {"/free"}


async def test_without_a_fault_there_are_only_waves() -> None:
    stage, peer = await waves(Trial("x", waves=3), FakePostgres(), OK)
    assert list(stage.notes) == ["wave 1", "wave 2", "wave 3"]
    assert len(peer.requests) == 18
    assert stage.injected == []


async def test_a_crowd_asks_all_the_while() -> None:
    broken = Breakable()
    trial = Trial("x", Outage(), waves=0, crowd=7, hold=ms(200))
    stage, peer = await waves(trial, FakePostgres(switch=broken.switch), broken)
    assert peer.most_under_way <= 7
    assert len(broken.under) >= 7
    assert stage.notes == {}
    [made] = stage.injected
    assert made.healing - made.made >= 0.2
    last = max(one.started for one in stage.answers)
    assert last > made.made + 0.1, "to the end of the hold"


async def test_without_a_crowd_of_its_own_the_callers_of_the_onset_ask_no_more() -> None:
    broken = Breakable()
    trial = Trial("x", Outage(), waves=0, hold=ms(300))
    stage, _ = await waves(trial, FakePostgres(switch=broken.switch), broken)
    [made] = stage.injected
    assert [one for one in stage.answers if one.started > made.made + 0.15] == []


async def test_where_only_new_connections_are_refused_the_open_ones_end_first() -> None:
    postgres = FakePostgres()
    await waves(OUTAGE, postgres, whole(503))
    assert postgres.terminations == 0
    refused = Trial("starting_up", RefusedAuthentication("57P03"))
    await waves(refused, postgres, whole(503))
    assert postgres.terminations == 1


async def test_what_follows_from_the_deadline_is_made_of_it() -> None:
    postgres = FakePostgres()
    await waves(Trial("x", LatencyOfDeadline(2)), postgres, whole(503))
    assert postgres.made == [Latency(seconds(2))]


async def test_where_nothing_can_be_asked_nothing_is_broken() -> None:
    postgres = FakePostgres()
    with pytest.raises(NotAssessable):
        await waves(OUTAGE, postgres, OK, operations=(FREE,))
    assert postgres.made == []


# -- until it was felt ---------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [0, 1, 4])
async def test_waves_go_on_until_the_fault_was_felt(looks: int) -> None:
    counts = [0] * looks + [7]
    postgres = FakePostgres(felt=lambda: counts.pop(0) if len(counts) > 1 else counts[0])
    stage, _ = await waves(Trial("x", Outage(), ask=["list"]), postgres, whole(503))
    assert len(stage.notes) == 2 + looks
    assert stage.injected[0].felt == 7


async def test_ten_more_waves_are_enough() -> None:
    postgres = FakePostgres(felt=lambda: 0)
    stage, _ = await waves(Trial("x", Outage(), ask=["list"]), postgres, whole(503))
    assert len(stage.notes) == 2 + 10
    assert stage.injected[0].felt == 0


async def test_a_fault_that_need_not_be_felt_is_not_waited_for() -> None:
    trial = Trial("x", Outage(), waves=1, must_be_felt=False)
    stage, _ = await waves(trial, FakePostgres(felt=lambda: 0), OK)
    assert list(stage.notes) == ["wave 1"]


async def test_a_fault_that_was_not_felt_is_recorded_and_judged_later() -> None:
    def switch(_: Fault, on: bool) -> None:
        if not on:
            raise FaultNotFelt("nothing was hit")

    stage, _ = await waves(OUTAGE, FakePostgres(switch=switch), whole(503))
    assert len(stage.injected) == 1


# -- what hung -----------------------------------------------------------------------------------


async def test_where_requests_hang_there_is_one_wave() -> None:
    stage, _ = await hanging(Trial("x", BlackHole(), waves=4))
    assert list(stage.notes) == ["wave 1"]
    assert stage.hung
    assert {one.ending for one in stage.notes["wave 1"]} == {Completion.NO_ANSWER}


async def hanging(trial: Trial, felt: Callable[[], int] = lambda: 1) -> tuple[Stage, Peer]:
    """Requests hang while the fault is in force."""
    broken = Breakable()

    async def answer(request: Request) -> Reply:
        return SILENCE if broken.in_force else await broken(request)

    postgres = FakePostgres(switch=broken.switch, felt=felt)
    return await waves(trial, postgres, answer, patience=ms(100))


async def test_a_service_that_has_ended_is_asked_no_more() -> None:
    declared = service(health=HASTY)
    postgres = FakePostgres(felt=lambda: 0)
    async with serving() as peer, staged(peer, declared, postgres) as stage:

        def switch(_: Fault, on: bool) -> None:
            if on:
                peer.answer = ends

        async def ends(_: Request) -> Reply:
            cast("FakeService", stage.service).end(1)
            return DROP

        postgres.switch = switch
        began = time.monotonic()
        await run_waves(Trial("x", Outage(), waves=4, hold=seconds(600)), stage)
    assert list(stage.notes) == ["wave 1"]
    assert time.monotonic() - began < 60, "neither the hold nor the health routes are waited for"


# -- the health routes' time ---------------------------------------------------------------------


def failing(after: int) -> tuple[Callable[[Request], Awaitable[Reply]], FakePostgres]:
    """Readiness that fails from its n-th request under the fault on."""
    broken, probes = Breakable(), Counter[str]()

    async def answer(request: Request) -> Reply:
        if request.path != "/ready":
            return await broken(request)
        probes["under"] += len(broken.in_force)
        return whole(503) if broken.in_force and probes["under"] > after else OK

    return answer, FakePostgres(switch=broken.switch)


@pytest.mark.parametrize(
    "fault",
    [Outage(), BlackHole(), BlackHole(Direction.TO_SERVICE), RefusedAuthentication("57P03")],
)
async def test_readiness_has_its_time_to_fail_where_nothing_can_be_served(fault: Fault) -> None:
    health = Health(live=None, ready="/ready", period=ms(200), threshold=3)
    answer, postgres = failing(after=2)
    stage, watch = await watched(Trial("x", fault), health, answer, postgres)
    [made] = stage.injected
    assert watch.failures_in_a_row(made.begun) == 0, "it was asked after the heal too"
    under = [one for one in watch.since(made.begun) if one.finished <= made.healing]
    assert [one.succeeded for one in under][-3:] == [False] * 3


async def test_under_any_other_fault_each_health_route_answers_twice() -> None:
    health = Health(live=None, ready="/ready", period=ms(200), threshold=50)
    answer, postgres = failing(after=0)
    stage, watch = await watched(Trial("x", Latency(ms(1))), health, answer, postgres)
    [made] = stage.injected
    assert len(watch.since(made.begun)) >= 2
    assert made.healing - made.made < 10, "not until its threshold"


async def test_readiness_that_does_not_fail_is_given_its_time_and_no_more() -> None:
    health = Health(live=None, ready="/ready", period=ms(100), threshold=1)
    stage, watch = await watched(OUTAGE, health, always(OK), FakePostgres())
    [made] = stage.injected
    assert made.healing - made.made >= unready_within(health, given_up=0).total_seconds()
    assert watch.failures_in_a_row(0) == 0


def always(reply: Reply) -> Callable[[Request], Awaitable[Reply]]:
    """An answer to every request."""

    async def answer(_: Request) -> Reply:
        return reply

    return answer


async def watched(
    trial: Trial,
    health: Health,
    answer: Callable[[Request], Awaitable[Reply]],
    postgres: FakePostgres,
) -> tuple[Stage, HealthWatch]:
    """A trial beside which readiness is asked, before it, in it and once more after it."""
    declared = service([READ], health=health)
    async with serving(answer) as peer, Probe(declared, peer.url, keep_alive=False) as probe:
        watch = HealthWatch("/ready", health, probe)
        async with staged(peer, declared, postgres, readiness=watch) as stage:
            asking = asyncio.create_task(watch.run())
            await run_waves(trial, stage)
            healed = time.monotonic()
            assert await stage.until(lambda: bool(watch.since(healed)), within=seconds(10))
            asking.cancel()
            await asyncio.wait([asking])
    return stage, watch


# -- how long it takes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trial",
    [
        Trial("x", BlackHole(), waves=3),
        Trial("x", BlackHole(), waves=0, crowd=5, hold=ms(300)),
        Trial("x", Latency(ms(1)), waves=1, crowd=5),
    ],
    ids=["waves", "hold", "crowd"],
)
async def test_it_takes_no_longer_than_it_says_though_all_hangs_and_nothing_is_felt(
    trial: Trial,
) -> None:
    budget = Budget(request=ms(10), recovery=ms(10), pool=2)
    declared = service([READ, WRITE], health=HASTY, budget=budget)
    broken = Breakable()

    async def answer(request: Request) -> Reply:
        return SILENCE if broken.in_force else await broken(request)

    postgres = FakePostgres(switch=broken.switch, felt=lambda: 0)
    async with serving(answer) as peer, staged(peer, declared, postgres) as stage:
        began = time.monotonic()
        await run_waves(trial, stage)
        took = time.monotonic() - began
    # The three seconds are for making the fault, and this one takes no time to make.
    assert took <= (trial.longest(declared) - seconds(3)).total_seconds()
