"""How the scripts on recovery use the database and their callers."""

import asyncio
import time
from dataclasses import replace
from typing import cast

import pytest

from brownout import Budget, Kind, NotAssessable
from brownout.faults import ESTABLISHED, BlackHole, Fault, Latency, Outage, RefusedAuthentication
from brownout.faults.written import written
from brownout.trial.recovering import FailedOver, Flapping, LongOutage, Reconnecting
from brownout.units import ms, seconds
from tests.core.fakes import FakePostgres, FakeService
from tests.core.made import READ, WRITE, service
from tests.core.peer import OK, Reply, Request, serving, whole
from tests.trial.staged import staged

pytestmark = pytest.mark.asyncio

SHORT = Budget(request=ms(100), recovery=ms(200), pool=2)
SILENT = BlackHole(scope=ESTABLISHED)


class Breakable:
    """A service that answers 503 while a fault is in force; it was in force `times` times."""

    def __init__(self) -> None:
        self.broken = False
        self.times = 0

    def switch(self, fault: Fault, on: bool) -> None:
        """A fault comes or goes; a slow database breaks nothing."""
        if not isinstance(fault, Latency):
            self.broken = on
            self.times += on

    async def __call__(self, _: Request) -> Reply:
        return whole(503) if self.broken else OK


async def test_a_long_outage_lasts_for_three_recovery_times_and_is_asked_all_the_while() -> None:
    declared, broken = service(budget=SHORT), Breakable()
    postgres = FakePostgres(switch=broken.switch)
    async with serving(broken) as peer, staged(peer, declared, postgres) as stage:
        await LongOutage().run(stage)
    (made,) = stage.injected
    assert made.healing - made.made >= 0.6
    late = [one for one in stage.answers if one.started > made.made + 0.3]
    assert {one.operation for one in late} == {READ.name, WRITE.name}


async def test_a_process_that_a_long_outage_ends_is_asked_once_more() -> None:
    declared, postgres = service(budget=SHORT), FakePostgres()
    async with serving(OK) as peer, staged(peer, declared, postgres) as stage:
        ended = cast("FakeService", stage.service)

        def end(_: Fault, on: bool) -> None:
            if on:
                ended.end(1)

        postgres.switch = end
        await LongOutage().run(stage)
    (made,) = stage.injected
    asked = [one.operation for one in stage.answers if made.made <= one.started <= made.healing]
    assert set(asked) == {READ.name, WRITE.name}


async def test_outages_in_a_row_have_successes_between_them() -> None:
    declared, broken = service(budget=SHORT), Breakable()
    postgres = FakePostgres(switch=broken.switch)
    async with serving(broken) as peer, staged(peer, declared, postgres) as stage:
        await Flapping().run(stage)
    assert [one.fault for one in stage.injected] == [repr(Outage())] * 3
    for before, after in zip(stage.injected, stage.injected[1:], strict=False):
        assert any(
            one.succeeded and before.healed <= one.finished <= after.made for one in stage.answers
        )


async def test_a_failover_is_over_when_the_service_is_steady_under_it() -> None:
    declared = service(budget=replace(SHORT, recovery=seconds(5)))
    async with serving(OK) as peer, staged(peer, declared) as stage:
        await FailedOver(SILENT).run(stage)
    assert stage.meanwhile is not None
    assert stage.meanwhile.steady
    assert stage.recovery is None


async def test_each_connection_has_a_request_under_way_at_a_slow_database() -> None:
    declared = service(budget=replace(SHORT, pool=4, recovery=seconds(5)))
    under_way, met = 0, []

    async def slow(_: Request) -> Reply:
        nonlocal under_way
        under_way += 1
        await asyncio.sleep(0.02)
        under_way -= 1
        return OK

    def switch(fault: Fault, on: bool) -> None:
        if fault == SILENT and on:
            met.append(under_way)

    postgres = FakePostgres(switch=switch)
    async with serving(slow) as peer, staged(peer, declared, postgres) as stage:
        await FailedOver(SILENT).run(stage)
    assert met == [4]
    assert [one.fault for one in stage.injected] == [written(Latency(ms(5))), written(SILENT)]


class BreaksLate:
    """The second request, which is under way when the fault comes, hangs while others succeed; what
    it leaves behind makes all fail."""

    def __init__(self) -> None:
        self.requests = 0
        self.spoilt = False

    async def __call__(self, _: Request) -> Reply:
        self.requests += 1
        if self.requests == 2:
            await asyncio.sleep(0.15)
            self.spoilt = True
        return whole(503) if self.spoilt else OK


async def test_the_steady_state_is_asked_for_when_the_requests_that_the_fault_met_have_ended() -> (
    None
):
    declared, late = service(budget=replace(SHORT, recovery=ms(500))), BreaksLate()
    async with serving(late) as peer, staged(peer, declared) as stage:
        await FailedOver(SILENT).run(stage)
    assert late.spoilt
    assert stage.meanwhile is not None
    assert not stage.meanwhile.steady


async def test_a_service_that_is_broken_throughout_a_failover_is_waited_for_no_longer() -> None:
    declared, broken = service(budget=SHORT), Breakable()
    postgres = FakePostgres(switch=broken.switch)
    async with serving(broken) as peer, staged(peer, declared, postgres) as stage:
        began = time.monotonic()
        await FailedOver(SILENT).run(stage)
    assert stage.meanwhile is not None
    assert not stage.meanwhile.steady
    assert ms(200) <= stage.meanwhile.after
    assert stage.meanwhile.after.total_seconds() <= time.monotonic() - began


async def test_a_switchover_needs_a_write() -> None:
    async with serving(OK) as peer, staged(peer, service([READ])) as stage:
        with pytest.raises(NotAssessable, match="No write"):
            await FailedOver(SILENT, Kind.WRITE).run(stage)


async def test_connects_are_counted_until_the_service_is_back() -> None:
    declared, postgres = service(budget=SHORT), FakePostgres()
    async with serving(OK) as peer, staged(peer, declared, postgres) as stage:
        await Reconnecting().run(stage)
    (made,) = stage.injected
    assert made.fault.startswith(RefusedAuthentication.__name__)
    assert postgres.terminations == 1
    assert stage.connects[0].time <= made.made
    assert stage.connects[-1].time >= made.healing
    assert stage.recovery is not None
