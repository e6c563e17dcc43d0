"""A trial is run from one steady state to the next, and all that was seen is in its recording."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from brownout import (
    Budget,
    ContractViolation,
    Health,
    Kind,
    NotAssessable,
    Operation,
    Service,
    ServiceNotReady,
)
from brownout.expectations import expect_ready_again, expect_recovered
from brownout.faults import BlackHole, Fault, Latency, LockedTables, Outage
from brownout.observations import Completion
from brownout.trial import Recorder, Recording, Stage, Trial
from brownout.trial.clock import Clock
from brownout.trial.gaps import Gap
from brownout.trial.lifecycle import last_lines
from brownout.units import ms, seconds
from tests.core.fakes import FakePostgres, FakeReferee, FakeService
from tests.core.made import READ, service
from tests.core.peer import DROP, OK, SILENCE, Peer, Reply, Request, serving, whole
from tests.trial.crowd import BUSY, rivals, running

pytestmark = pytest.mark.asyncio

SQL = "select count(*) from things where token = $1"
PLACE = Operation.write("place", "POST", "/things/{token}", applied=SQL)
NOTHING = Trial("nothing", waves=0)
OUTAGE = Trial("outage", Outage())


def declared(*operations: Operation, recovery: float = 2) -> Service:
    return service(
        operations or (READ,),
        health=Health(live="/live", ready="/ready", period=ms(80), threshold=2),
        budget=Budget(request=ms(200), recovery=seconds(recovery), pool=2),
    )


class Chain:
    """A recorder of a service in this process, whose database fails while a fault is in force."""

    def __init__(self, peer: Peer, declaration: Service, **of_postgres: Any) -> None:
        self.peer = peer
        self.in_force: list[Fault] = []
        self.postgres = FakePostgres(switch=self.switch, **of_postgres)
        self.service = FakeService(declaration, peer.url)
        self.recorder = Recorder(
            self.service.as_service, self.postgres.as_postgres, FakeReferee().as_referee
        )
        peer.answer = self.answer

    def switch(self, fault: Fault, on: bool) -> None:
        """A fault comes or goes."""
        (self.in_force.append if on else self.in_force.remove)(fault)

    async def answer(self, request: Request) -> Reply:
        """What a sound service says; `failing` says what it says without its database."""
        if not self.service.running:
            return DROP
        if self.in_force and request.path != "/live":
            return await self.failing(request)
        return OK

    async def failing(self, _: Request) -> Reply:
        """An honest refusal."""
        return whole(503)


def reads(peer: Peer) -> int:
    return sum(request.path == "/things" for request in peer.requests)


# -- from one steady state to the next -----------------------------------------------------------


async def test_a_recording_has_the_time_before_the_fault_and_the_way_back() -> None:
    async with serving() as peer:
        chain = Chain(peer, declared())
        seen = await chain.recorder.record(OUTAGE)
    assert seen.trial is OUTAGE
    [made] = seen.injected
    assert seen.began < made.begun <= made.made < made.healing <= made.healed < seen.ended
    before, again, after = seen.whole["list"]
    assert before.finished <= again.finished < made.begun < made.healed < after.started, "a read"
    assert [one.status for one in seen.during()][:1] == [503]
    assert not any(one.succeeded for one in seen.during())
    assert min(one.finished for one in seen.answers) <= made.begun, "a caller was at work"
    assert [one for one in seen.answers if one.started > made.healed] == []
    assert all(one.succeeded for one in seen.under_fault(seen.liveness))
    assert len(seen.under_fault(seen.liveness)) >= 2
    assert [one.status for one in seen.readiness if made.made < one.started < made.healing][:2] == [
        503, 503,
    ]  # fmt: skip
    assert seen.ready_again is not None
    assert seen.ready_again < seconds(2)
    expect_recovered(seen)
    assert (seen.process, seen.same_process) == (None, True)
    assert seen.sessions
    assert chain.service.restarts == 0


@pytest.mark.parametrize("stays", ["one of four workers", "after it passed twice"])
async def test_a_service_that_is_not_ready_for_good_is_not_ready_again(stays: str) -> None:
    async with serving() as peer:
        chain = Chain(peer, replace(declared(recovery=1), workers=4))
        healed: list[str] = []

        async def answer(request: Request) -> Reply:
            if not chain.postgres.made or chain.in_force or request.path != "/ready":
                return await chain.answer(request)
            healed.append(request.path)
            fails = len(healed) % 4 == 1 if stays == "one of four workers" else len(healed) > 2
            return whole(503) if fails else OK

        peer.answer = answer
        seen = await chain.recorder.record(OUTAGE)
    assert seen.ready_again is None
    with pytest.raises(ContractViolation, match="Readiness comes back by itself"):
        expect_ready_again(seen)


async def test_workers_that_become_ready_one_after_the_other_are_ready_again() -> None:
    async with serving() as peer:
        chain = Chain(peer, replace(declared(), workers=4))
        stale = iter([OK, whole(503)] * 3)

        async def answer(request: Request) -> Reply:
            if not chain.postgres.made or chain.in_force or request.path != "/ready":
                return await chain.answer(request)
            return next(stale, OK)

        peer.answer = answer
        seen = await chain.recorder.record(OUTAGE)
    expect_ready_again(seen)
    after = [one.succeeded for one in seen.readiness if one.started >= seen.healed]
    assert all(after[-16:])
    assert len(after) >= 16


async def test_the_steady_state_is_asked_for_only_where_something_was_broken_since() -> None:
    async with serving() as peer:
        chain = Chain(peer, declared())
        counts = [0]
        for fault in (None, None, Latency(ms(1))):
            if fault is not None:
                async with chain.postgres.inject(fault):
                    pass
            await chain.recorder.record(NOTHING)
            counts.append(reads(peer))
    first, second, third = (later - earlier for earlier, later in pairwise(counts))
    # Before: a round on each of two connections; two whole answers; after: a round again, and one
    # more whole answer.
    assert (first, second, third) == (2 + 2 + 2 + 1, 2 + 2 + 1, 2 + 2 + 2 + 1)


async def test_a_service_that_is_not_steady_is_not_tried() -> None:
    async with serving(whole(503)) as peer:
        chain = Chain(peer, declared(recovery=0.05))
        peer.answer = chain.failing
        with pytest.raises(ServiceNotReady, match="Nothing is broken, yet"):
            await chain.recorder.record(OUTAGE)
    assert chain.postgres.made == []


async def test_a_service_that_does_not_run_is_not_asked() -> None:
    async with serving() as peer:
        chain = Chain(peer, declared())
        chain.service.end(1)
        with pytest.raises(ServiceNotReady, match="not running"):
            await chain.recorder.record(OUTAGE)
    assert peer.requests == []


async def test_what_the_backend_or_the_declaration_lacks_is_not_assessed() -> None:
    async with serving() as peer:
        chain = Chain(peer, declared(), missing=["Outage"])
        for trial in (OUTAGE, Trial("writes", ask=Kind.WRITE)):
            with pytest.raises(NotAssessable):
                await chain.recorder.record(trial)
    assert peer.requests == []


async def test_routes_that_are_not_declared_are_not_asked() -> None:
    async with serving() as peer:
        chain = Chain(peer, service([READ], health=Health(live=None, ready=None)))
        seen = await chain.recorder.record(OUTAGE)
    assert (seen.liveness, seen.readiness, seen.ready_again) == ((), (), None)
    assert {request.path for request in peer.requests} == {"/things"}


# -- what is kept --------------------------------------------------------------------------------


async def test_of_each_write_of_the_trial_it_is_counted_what_it_left_behind() -> None:
    counts = {"t": 1}
    async with serving() as peer:
        chain = Chain(peer, declared(READ, PLACE), applied=counts)
        seen = await chain.recorder.record(OUTAGE)
    writes = {one.token for one in seen.answers if one.operation == "place"}
    assert seen.applied == dict.fromkeys(writes, 0)
    assert chain.postgres.asked == [(SQL, "place")]
    assert len(writes) >= 4


class CarriedOutLater(dict[str, int]):
    """Counts nothing for a token until it was asked for several times."""

    def get(self, token: str, default: int = 0) -> int:  # type: ignore[override]
        self[token] = dict.get(self, token, 0) + 1
        return 1 if self[token] > 3 else default


@pytest.mark.parametrize(("status", "left"), [(202, 1), (201, 0)])
async def test_only_a_write_that_was_merely_accepted_may_be_carried_out_later(
    status: int, left: int
) -> None:
    async def answered(request: Request) -> Reply:
        return whole(status) if request.method == "POST" else await chain.answer(request)

    async with serving() as peer:
        chain = Chain(peer, declared(READ, PLACE), applied=CarriedOutLater())
        peer.answer = answered
        seen = await chain.recorder.record(OUTAGE)
    placed = [one for one in seen.answers if one.operation == "place" and one.succeeded]
    assert {seen.applied[one.token] for one in placed} == {left}


async def test_names_of_the_database_are_masked_wherever_they_were_seen() -> None:
    async def failing(_: Request) -> Reply:
        chain.service.words += "no login for shop_role\n"
        return whole(503, b'{"detail": "shop_role"}', "X-Peer: shop_role")

    async with serving() as peer:
        chain = Chain(peer, declared())
        chain.failing = failing  # type: ignore[method-assign]
        seen = await chain.recorder.record(OUTAGE)
    refused = seen.during()[0]
    assert refused.body == '{"detail": "⟨dsn.user⟩"}'.encode()
    assert refused.header("x-peer") == "⟨dsn.user⟩"
    assert "no login for ⟨dsn.user⟩" in (seen.log or "")
    assert "shop_role" not in str(seen.to_json())


async def test_only_the_log_of_the_trial_s_time_is_kept() -> None:
    async with serving() as peer:
        chain = Chain(peer, declared())
        chain.service.words = "it started\n"
        assert (await chain.recorder.record(NOTHING)).log == ""


async def test_a_log_that_is_not_known_is_none_and_the_last_lines_are_of_the_file_that_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving() as peer:
        chain = Chain(peer, declared())
        chain.service.words = "after the rotation\n"
        monkeypatch.setattr(chain.service, "log_since", lambda _: None)
        seen = await chain.recorder.record(NOTHING)
    assert seen.log is None
    assert seen.to_json()["log"] == ""
    assert last_lines(chain.service.as_service, None) == ("after the rotation",)


async def test_time_in_which_this_process_did_not_run_is_forgiven(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stopped(Clock):
        """A clock by which this process never ran."""

        @property
        def gaps(self) -> tuple[Gap, ...]:
            now = time.monotonic()
            return (Gap(now - 1000, now + 1000),)

        def forgiven(
            self, start: float, end: float, _: tuple[float, float] | None = None
        ) -> timedelta:
            return timedelta(seconds=end - start)

        @asynccontextmanager
        async def timeout(self, limit: timedelta) -> AsyncIterator[None]:
            async with asyncio.timeout(limit.total_seconds()):
                yield

    monkeypatch.setattr("brownout.trial.record.Clock", Stopped)
    async with serving() as peer:
        seen = await Chain(peer, declared()).recorder.record(Trial("x", waves=1))
    assert len(seen.gaps) == 1
    for one in (*seen.answers, *seen.liveness, *seen.readiness, *seen.note("wave 1")):
        assert one.took < ms(1)
        assert one.forgiven == pytest.approx(one.elapsed, abs=ms(1))


async def test_sessions_are_counted_once_the_service_is_back_where_the_trial_says_so() -> None:
    counting = replace(OUTAGE, counted=True)
    async with serving() as peer:
        back = await Chain(peer, declared()).recorder.record(counting)
        assert back.injected[-1].healed < back.counted[-1].time < back.ended
        assert len(back.counted) == 1
        assert (await Chain(peer, declared()).recorder.record(OUTAGE)).counted == ()
        stuck = Chain(peer, declared(recovery=0.3))
        stuck.postgres.switch = lambda fault, _: stuck.in_force.append(fault)
        assert (await stuck.recorder.record(counting)).counted == ()


async def test_what_a_script_sets_apart_is_in_the_recording() -> None:
    class Script:
        """Asks once without a fault, and once with one that need not be met."""

        async def run(self, stage: Stage) -> None:
            stage.note("once", [await stage.probe.ask(READ)])
            async with stage.inject(Latency(ms(1)), required=False):
                stage.note("once", [await stage.probe.ask(READ)])
            await stage.count_sessions()

        def longest(self, _: Service) -> Any:
            return seconds(1)

    async with serving() as peer:
        chain = Chain(peer, declared(), felt=lambda: 0)
        seen = await chain.recorder.record(Trial("scripted", script=Script()))
    assert [one.status for one in seen.note("once")] == [200, 503]
    assert seen.answers == seen.note("once")
    assert len(seen.counted) == 1
    assert [(one.felt, one.required) for one in seen.injected] == [(0, False)]
    seen.require_felt()


async def test_an_error_of_a_watch_ends_the_trial() -> None:
    async with serving() as peer:
        chain = Chain(peer, declared())

        def sessions() -> tuple[()]:
            raise LookupError("a bug of ours")

        chain.postgres.sessions = sessions  # type: ignore[method-assign]
        with pytest.raises(LookupError, match="a bug of ours"):
            await chain.recorder.record(OUTAGE)


# -- a service that ends, hangs, or stays away ---------------------------------------------------


async def record_ending(chain: Chain, code: int, *words: str) -> Recording:
    """It ends with its first request under the fault."""

    async def failing(_: Request) -> Reply:
        chain.service.end(code, *words)
        return DROP

    chain.failing = failing  # type: ignore[method-assign]
    return await chain.recorder.record(Trial("outage", Outage(), waves=5, hold=seconds(600)))


async def test_of_a_process_that_ended_its_exit_code_and_last_lines_are_kept() -> None:
    lines = [f"line {number} of shop_role" for number in range(40)]
    async with serving() as peer:
        chain = Chain(peer, declared(recovery=600))
        async with asyncio.timeout(60):
            seen = await record_ending(chain, 70, *lines)
        assert seen.process is not None
        assert seen.process.code == 70
        assert seen.process.log == tuple(f"line {number} of ⟨dsn.user⟩" for number in range(15, 40))
        assert seconds(0) <= seen.process.after < seconds(60)
        assert (seen.recovery, seen.same_process) == (None, False)
        with pytest.raises(ContractViolation) as violation:
            expect_recovered(seen)
        assert violation.value.violation.observed == "its process ended"
        assert (chain.service.restarts, chain.service.running) == (1, True)
        del chain.failing
        expect_recovered(await chain.recorder.record(OUTAGE))


async def test_what_was_seen_of_a_service_that_no_restart_brings_back_is_kept() -> None:
    async with serving() as peer:
        chain = Chain(peer, declared(recovery=600))
        chain.service.comes_back = False
        async with asyncio.timeout(60):
            seen = await record_ending(chain, -9)
        assert seen.process is not None
        assert seen.process.code == -9
        with pytest.raises(ServiceNotReady, match="not running"):
            await chain.recorder.record(NOTHING)


async def test_a_service_that_does_not_come_back_is_restarted() -> None:
    async with serving() as peer:
        chain = Chain(peer, declared(recovery=0.3))
        stuck: list[bool] = []

        async def failing(_: Request) -> Reply:
            stuck.append(True)
            return whole(503)

        async def answer(request: Request) -> Reply:
            if stuck and not chain.service.restarts:
                return whole(503)
            return await chain.answer(request)

        peer.answer = answer
        chain.failing = failing  # type: ignore[method-assign]
        seen = await chain.recorder.record(OUTAGE)
        assert seen.recovery is not None
        assert not seen.recovery.steady
        assert (seen.process, seen.same_process, seen.ready_again) == (None, True, None)
        assert chain.service.restarts == 1
        expect_recovered(await chain.recorder.record(NOTHING))


async def test_what_hung_is_not_repeated_within_its_trial() -> None:
    async def failing(_: Request) -> Reply:
        return SILENCE

    async with serving() as peer:
        chain = Chain(peer, declared())
        chain.failing = failing  # type: ignore[method-assign]
        first = await chain.recorder.record(Trial("black_hole", BlackHole(), waves=3))
        del chain.failing
        second = await chain.recorder.record(Trial("locked_tables", LockedTables(), waves=3))
        loud = await chain.recorder.record(Trial("outage", Outage(), waves=3))
    assert {one.ending for one in first.note("wave 1")} == {Completion.NO_ANSWER}
    assert [len(list(one.notes)) for one in (first, second, loud)] == [1, 3, 3]


# -- what trials leave behind ----------------------------------------------------------------------


async def test_an_operation_that_what_was_written_made_slow_gets_a_new_database() -> None:
    async with serving() as peer:
        chain = Chain(peer, declared())

        async def growing(request: Request) -> Reply:
            grown = chain.postgres.renewals == 0 and reads(peer) > 20
            if grown and request.path == "/things":
                await asyncio.sleep(0.15)
            return await chain.answer(request)

        peer.answer = growing
        expect_recovered(await chain.recorder.record(NOTHING))
        assert (chain.postgres.renewals, chain.service.restarts) == (0, 0)
        while reads(peer) <= 20:
            await chain.recorder.record(NOTHING)
        seen = await chain.recorder.record(NOTHING)
    assert (chain.postgres.renewals, chain.service.restarts) == (1, 1)
    assert seen.whole["list"][0].took < ms(150), "asked again of the new database"


async def test_the_declared_reset_runs_before_each_trial() -> None:
    async with serving() as peer:
        chain = Chain(peer, declared())
        await chain.recorder.record(NOTHING)
        await chain.recorder.record(NOTHING)
    assert chain.service.resets == 2


async def test_a_trial_watches_the_service_s_process_for_waiting_for_a_core() -> None:
    async def late(_: Request) -> Reply:
        await asyncio.sleep(0.3)  # several looks at what the process waits for
        return OK

    with rivals(), running(BUSY) as process:
        async with serving(late) as peer:
            chain = Chain(peer, declared())
            chain.service.process_ids = (process.pid,)
            # Between two looks it may run, wait, or wait for all of the time, as a gap of this
            # process's own would look; each trial is several looks.
            recordings = [await chain.recorder.record(Trial("x", waves=1))]
            while len(recordings) < 40 and not waited(recordings[-1]):
                recordings.append(await chain.recorder.record(Trial("x", waves=1)))
    assert waited(recordings[-1])


def waited(recording: Recording) -> bool:
    """Whether the service's process was seen to wait for a core in part of some time."""
    return any(gap.share < 1 for gap in recording.gaps)
