"""Requests are asked alone and together while the database is as slow as their deadline allows."""

import asyncio
from datetime import timedelta

import pytest

from brownout import Budget, ms, seconds
from brownout.faults import Fault, Latency
from brownout.trial.parallel import AloneAndTogether, alone_and_together, slow_enough
from brownout.trial.probe import Probe
from brownout.trial.scripts import SideBySide
from tests.core.fakes import FakePostgres
from tests.core.made import READ, service
from tests.core.peer import OK, Reply, Request, serving, whole
from tests.trial.staged import staged

pytestmark = pytest.mark.asyncio

# Long enough that a busy machine's delays are no round trip of D / 50.
DECLARED = service([READ], request=seconds(3))
D = DECLARED.budget.request


class Slowed:
    """A service whose requests take so many round trips, `cold` more where a connection has to be
    opened: all but `kept` of those at work close theirs behind them. With `lock` they wait for one
    another."""

    def __init__(
        self, round_trips: int, *, cold: int = 0, kept: int = 99, lock: bool = False
    ) -> None:
        self.postgres = FakePostgres(switch=self.switch)
        self._round_trips, self._cold, self._kept = round_trips, cold, kept
        self._slow = 0.0
        self._at_work = 0
        self._lock = asyncio.Semaphore(1 if lock else 99)

    def switch(self, fault: Fault, on: bool) -> None:
        """A fault comes or goes."""
        assert isinstance(fault, Latency)
        self._slow = fault.delay.total_seconds() if on else 0.0

    async def reply(self, _: Request) -> Reply:
        """Answer after the round trips."""
        async with self._lock:
            self._at_work += 1
            cold = self._cold if self._at_work > self._kept else 0
            self.postgres.connections += self._at_work > self._kept
            await asyncio.sleep(self._slow * (self._round_trips + cold))
            self._at_work -= 1
        return OK

    async def measured(self, *, for_all: bool) -> tuple[Latency, AloneAndTogether]:
        """How slow it may be, and what it answers then."""
        inject, opened = self.postgres.inject, self.postgres.opened
        async with serving(self.reply) as peer, Probe(DECLARED, peer.url) as probe:
            slow = await slow_enough(READ, DECLARED, inject, probe, for_all=for_all)
            return slow, await alone_and_together(
                READ, DECLARED, slow, inject, probe, opened=opened
            )


@pytest.mark.parametrize(
    ("round_trips", "latency"),
    [(0, D / 8), (1, D / 8), (2, D / 8), (3, D / 4 / 3), (6, D / 4 / 6)],
)
async def test_a_request_of_many_round_trips_takes_a_quarter_of_its_deadline(
    round_trips: int, latency: timedelta
) -> None:
    service = Slowed(round_trips)
    slow, seen = await service.measured(for_all=False)
    assert slow == Latency(latency)
    assert service.postgres.made == [Latency(D / 50), Latency(D / 50), slow]
    assert len(seen.together) == DECLARED.budget.pool * 2
    assert seen.alone.elapsed >= latency * round_trips
    assert seen.opened == 0


@pytest.mark.parametrize("service", [Slowed(2, cold=10, kept=1), Slowed(2, lock=True)])
async def test_a_crowd_that_opens_connections_or_waits_for_one_another_keeps_its_deadline(
    service: Slowed,
) -> None:
    slow, seen = await service.measured(for_all=True)
    assert ms(0) < slow.delay < D / 8
    assert max(answer.elapsed for answer in seen.together) < D * 0.75


@pytest.mark.parametrize(("kept", "opened"), [(1, 5), (0, 0), (99, 0)])
async def test_connections_are_counted_that_one_by_itself_does_not_need(
    kept: int, opened: int
) -> None:
    _, seen = await Slowed(1, cold=4, kept=kept).measured(for_all=True)
    assert seen.opened == opened


class OneByOne:
    """A service whose requests wait for one another, and are refused if they do so for too long."""

    def __init__(self, longest: float) -> None:
        self.postgres = FakePostgres(switch=self.switch)
        self._slow = 0.0
        self._longest = longest
        self._lock = asyncio.Lock()

    def switch(self, fault: Fault, on: bool) -> None:
        """A fault comes or goes."""
        assert isinstance(fault, Latency)
        self._slow = fault.delay.total_seconds() if on else 0.0

    async def reply(self, _: Request) -> Reply:
        """Answer after four round trips, if the lock is free in time."""
        try:
            async with asyncio.timeout(self._longest):
                await self._lock.acquire()
        except TimeoutError:
            return whole(503)
        try:
            await asyncio.sleep(self._slow * 4)
        finally:
            self._lock.release()
        return OK


async def test_where_too_few_are_served_side_by_side_all_have_the_time_the_next_time() -> None:
    declared = service([READ], budget=Budget(request=seconds(1), recovery=seconds(1), pool=4))
    one_by_one = OneByOne(longest=0.45)
    async with (
        serving(one_by_one.reply) as peer,
        staged(peer, declared, one_by_one.postgres) as stage,
    ):
        await SideBySide().run(stage)
    *_, first, _, second = one_by_one.postgres.made
    assert isinstance(first, Latency)
    assert second == Latency(first.delay / declared.budget.pool)
    (alone,) = stage.notes[f"alone {READ.name}"]
    together = stage.notes[f"together {READ.name}"]
    assert alone.succeeded
    assert len(together) == declared.budget.pool * 2
    assert sum(answer.succeeded for answer in together) >= declared.budget.pool
