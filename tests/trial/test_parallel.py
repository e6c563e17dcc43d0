"""Requests are asked alone and together while the database is as slow as their deadline allows."""

import asyncio
from datetime import timedelta

import pytest

from brownout import ms, seconds
from brownout.faults import Fault, Latency
from brownout.trial.parallel import alone_and_together
from brownout.trial.probe import Probe
from tests.core.fakes import FakePostgres
from tests.core.made import READ, service
from tests.core.peer import OK, Reply, Request, serving

pytestmark = pytest.mark.asyncio

# Long enough that a busy machine's delays are no round trip of D / 50.
DECLARED = service([READ], request=seconds(3))
D = DECLARED.budget.request


@pytest.mark.parametrize(
    ("round_trips", "latency"),
    [(0, D / 8), (1, D / 8), (2, D / 8), (3, D / 4 / 3), (6, D / 4 / 6)],
)
async def test_a_request_of_many_round_trips_keeps_its_deadline_also_when_it_waits_for_another(
    round_trips: int, latency: timedelta
) -> None:
    slow = [ms(0)]

    def switch(fault: Fault, on: bool) -> None:
        assert isinstance(fault, Latency)
        slow[0] = fault.delay if on else ms(0)

    async def reply(_: Request) -> Reply:
        await asyncio.sleep((slow[0] * round_trips).total_seconds())
        return OK

    postgres = FakePostgres(switch=switch)
    async with serving(reply) as peer, Probe(DECLARED, peer.url) as probe:
        alone, together = await alone_and_together(READ, DECLARED, postgres.inject, probe)
    assert postgres.made == [Latency(D / 50), Latency(latency)]
    assert len(together) == DECLARED.budget.pool * 2
    assert alone.elapsed >= latency * round_trips
    assert latency * round_trips <= D / 4 + ms(1)
