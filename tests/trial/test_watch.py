"""Health routes are asked as kubelet asks them, and sessions are counted while they can be."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import psycopg
import pytest

from brownout import Answer, BackendUnavailable, Completion, Health, NotAssessable
from brownout.postgres import Postgres, Session
from brownout.trial.probe import Probe
from brownout.trial.watch import HealthWatch, SessionWatch, ready_again, unready_within
from brownout.units import ms, seconds
from tests.core.made import answer, no_answer, service
from tests.core.peer import (
    DROP,
    OK,
    PATIENCE,
    SILENCE,
    Reply,
    Request,
    closed_port,
    serving,
    whole,
)
from tests.trial.staged import staged

pytestmark = pytest.mark.asyncio


def health(period: timedelta, **fields: Any) -> Health:
    return Health(live="/live", ready="/ready", period=period, **fields)


@asynccontextmanager
async def watching(
    url: str, period: timedelta, passes: int = 2, **fields: Any
) -> AsyncIterator[HealthWatch]:
    """The readiness route is asked for as long as the block lasts."""
    async with Probe(service(), url, keep_alive=False) as probe:
        watch = HealthWatch("/ready", health(period, **fields), probe, passes=passes)
        task = asyncio.create_task(watch.run())
        try:
            yield watch
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what a watch sees."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - a watch has no event for it
            await asyncio.sleep(0.001)


async def answered(watch: HealthWatch, count: int) -> list[Answer]:
    """The answers, once there are so many."""
    await until(lambda: len(watch.answers) >= count)
    return watch.answers[:count]


def pauses(answers: Sequence[Answer]) -> list[float]:
    """The seconds between an answer and the next question."""
    return [later.started - earlier.finished for earlier, later in itertools.pairwise(answers)]


# -- health --------------------------------------------------------------------------------------


async def test_one_request_at_a_time_and_each_on_a_fresh_connection() -> None:
    async with serving() as peer, watching(peer.url, ms(4)) as watch:
        await answered(watch, 20)
        assert peer.connections >= 20
        assert peer.connections == len(peer.requests)
        assert peer.most_under_way == 1
    assert {request.path for request in peer.requests} == {"/ready"}


@pytest.mark.parametrize("reply", [OK, whole(503), DROP], ids=["ok", "refused", "dropped"])
async def test_whatever_comes_the_next_request_is_a_quarter_of_a_period_later(
    reply: Reply,
) -> None:
    async with serving(reply) as peer, watching(peer.url, ms(400)) as watch:
        waited = pauses(await answered(watch, 4))
    assert all(pause >= 0.1 for pause in waited)
    assert min(waited) < 0.4


async def test_a_closed_port_is_an_answer_too() -> None:
    with closed_port() as url:
        async with watching(url, ms(4)) as watch:
            seen = await answered(watch, 3)
    assert {one.ending for one in seen} == {Completion.CONNECTION_REFUSED}


async def test_a_silent_route_is_given_up_after_a_second_and_asked_again_after_a_period() -> None:
    async with serving(SILENCE) as peer, watching(peer.url, ms(300)) as watch:
        [gave_up] = await answered(watch, 1)
        assert peer.connections == 1, "nothing was asked meanwhile"
        await peer.until(lambda: len(peer.requests) == 2)
    assert gave_up.ending is Completion.NO_ANSWER
    assert seconds(1) <= gave_up.elapsed < seconds(2)
    assert peer.requests[1].at - gave_up.finished >= 0.3
    assert peer.most_under_way == 1


@pytest.mark.parametrize("declared", [ms(300), ms(1500)])
async def test_a_probe_is_given_up_at_the_declared_time_out(declared: timedelta) -> None:
    async with (
        serving(SILENCE) as peer,
        watching(peer.url, seconds(1), timeout=declared) as watch,
    ):
        [gave_up] = await answered(watch, 1)
    assert gave_up.ending is Completion.NO_ANSWER
    assert declared <= gave_up.elapsed < declared + seconds(1)


async def test_each_probe_that_is_given_up_may_hold_readiness_up_for_its_time_out() -> None:
    patient = health(seconds(2), timeout=seconds(3))
    assert unready_within(patient, given_up=0) == seconds(3 * 2)
    assert unready_within(patient, given_up=2) == seconds(3 * 2 + 3 * (2 + 3))


async def test_a_watch_may_be_told_not_to_wait_for_its_next_turn() -> None:
    async with serving() as peer, watching(peer.url, seconds(600)) as watch:
        for count in (1, 2, 3):
            await answered(watch, count)
            watch.ask_now()
        await answered(watch, 4)


async def test_while_a_request_is_under_way_none_is_added() -> None:
    asked, answering = asyncio.Event(), asyncio.Event()

    async def reply(_: Request) -> Reply:
        asked.set()
        await answering.wait()
        return OK

    async with serving(reply) as peer, watching(peer.url, seconds(600)) as watch:
        await asked.wait()
        watch.ask_now()
        answering.set()
        await answered(watch, 1)
        watch.ask_now()
        await answered(watch, 2)
        assert peer.most_under_way == 1
        assert len(peer.requests) == 2


@pytest.mark.parametrize("turns", range(3))
async def test_it_ends_however_close_a_fault_comes_to_its_end(turns: int) -> None:
    class AtOnce:
        async def get(self, _: str, *, patience: timedelta) -> Answer:
            return answer(elapsed=patience)

    watch = HealthWatch("/ready", health(seconds(3600)), cast("Probe", AtOnce()))
    task = asyncio.create_task(watch.run())
    await answered(watch, 1)
    watch.ask_now()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    ended, _ = await asyncio.wait([task], timeout=PATIENCE)
    assert ended == {task}


@pytest.mark.parametrize("passes", [2, 16])
async def test_after_a_fault_the_return_is_seen_whatever_the_period(passes: int) -> None:
    broken = True

    async def answering(_: Request) -> Reply:
        return whole(503) if broken else OK

    async with serving(answering) as peer, watching(peer.url, seconds(3600), passes) as watch:
        await answered(watch, 1)
        watch.ask_now()
        await answered(watch, 2)
        watch.ask_often(ms(1))
        await answered(watch, 5)
        broken = False
        await until(lambda: watch.successes_in_a_row(0) == passes)
        asked = len(peer.requests)
        watch.ask_now()  # the next fault; nothing was asked since the route had passed often enough
        await until(lambda: len(peer.requests) > asked)
        assert len(peer.requests) == asked + 1
        assert watch.successes_in_a_row(0) >= passes


async def test_passes_beyond_the_second_take_one_more_pause_together() -> None:
    async with serving() as peer, watching(peer.url, seconds(3600), passes=16) as watch:
        await answered(watch, 1)
        watch.ask_often(ms(800))
        seen = pauses(await answered(watch, 17))
    assert seen[1] >= 0.8
    assert all(pause >= 0.05 for pause in seen[2:])
    assert min(seen[2:]) < 0.8 / 2


async def test_what_is_in_a_row_are_the_latest_answers_since_a_moment() -> None:
    async with serving() as peer, Probe(service(), peer.url) as probe:
        watch = HealthWatch("/ready", health(seconds(1)), probe)
    assert watch.failures_in_a_row(0) == watch.successes_in_a_row(0) == 0
    statuses = (503, 200, 200, 503, 503)
    watch.answers += [answer(status, started=at) for at, status in enumerate(statuses)]
    assert (watch.failures_in_a_row(0), watch.successes_in_a_row(0)) == (2, 0)
    assert (watch.failures_in_a_row(4), watch.failures_in_a_row(5)) == (1, 0)
    watch.answers.append(no_answer(Completion.DROPPED, started=5))
    assert watch.failures_in_a_row(0) == 3
    watch.answers += [answer(started=6), answer(started=7)]
    assert (watch.failures_in_a_row(0), watch.successes_in_a_row(0)) == (0, 2)
    assert watch.since(6) == watch.answers[-2:]


@pytest.mark.parametrize(
    ("statuses", "after"),
    [
        ("", None),
        ("x", None),
        ("+", None),
        ("+x", None),
        ("x+x+x", None),
        ("++", ms(5)),
        ("x++", ms(1005)),
        ("+x++", ms(2005)),
        ("x+++x", ms(1005)),
    ],
)
async def test_a_route_is_ready_again_from_the_first_of_two_successes_in_a_row(
    statuses: str, after: timedelta | None
) -> None:
    answers = [answer(started=98.0), answer(started=99.0)]  # before the heal
    answers += [
        answer(200 if status == "+" else 503, started=100.0 + at)
        for at, status in enumerate(statuses)
    ]
    seen = ready_again(answers, 100.0, 2)
    assert seen is after is None or (seen and after and abs(seen - after) < ms(1))


async def test_a_failure_that_the_machine_may_have_made_ends_no_row() -> None:
    late = replace(no_answer(Completion.NO_ANSWER, started=101.0), forgiven=ms(900))
    answers = [answer(started=100.0), late, answer(started=102.0)]
    assert ready_again(answers, 100.0, 2) == timedelta(seconds=answers[0].finished - 100.0)
    assert ready_again([answers[0], replace(late, forgiven=ms(0)), answers[2]], 100.0, 2) is None


# -- sessions ------------------------------------------------------------------------------------


class Looks:
    """A database with these sessions, look after look; an exception is raised."""

    def __init__(self, *looks: Sequence[Session] | Exception) -> None:
        self._looks = list(looks)

    @property
    def as_postgres(self) -> Postgres:
        """What it stands in for."""
        return cast("Postgres", self)

    def sessions(self) -> tuple[Session, ...]:
        """As `Postgres.sessions`; the last look stays."""
        seen = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        if isinstance(seen, Exception):
            raise seen
        return tuple(seen)


async def test_a_look_counts_sessions_by_state_and_times_the_longest_open_transaction() -> None:
    watch = SessionWatch(
        Looks(
            [
                Session(1, "idle", 60),
                Session(2, "idle", 1),
                Session(3, "active", 70, waits=True),
                Session(4, None, 80),
                Session(5, "idle in transaction", 2),
                Session(6, "idle in transaction (aborted)", 3),
            ],
            [],
        ).as_postgres
    )
    look = await watch.look()
    assert look.by_state == {
        "idle": 2,
        "active": 1,
        "starting": 1,
        "idle in transaction": 1,
        "idle in transaction (aborted)": 1,
    }
    assert look.longest_idle_in_transaction == 3
    assert look.waiting == 1
    nothing = await watch.look()
    assert (nothing.total, nothing.longest_idle_in_transaction) == (0, 0)
    assert watch.looks == [look, nothing]
    assert look.time < nothing.time


async def test_while_the_server_is_not_there_nothing_is_seen_and_later_looks_are() -> None:
    idle = [Session(1, "idle", 0)]
    gone = [BackendUnavailable("it restarts"), psycopg.OperationalError("no")]
    watch = SessionWatch(Looks(*gone, idle).as_postgres)
    task = asyncio.create_task(watch.run())
    await until(lambda: len(watch.looks) >= 2)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert all(look.by_state == {"idle": 1} for look in watch.looks)


async def test_sessions_are_settled_once_no_transaction_is_open() -> None:
    idle, stuck = [Session(1, "idle", 0)], [Session(1, "idle in transaction", 2)]
    async with serving() as peer, staged(peer, service(request=seconds(PATIENCE))) as stage:
        stage.sessions = SessionWatch(Looks(stuck, stuck, idle, stuck).as_postgres)
        await stage.settle()
        assert stage.settled == stage.sessions.looks[2]
        await stage.settle()
        assert len(stage.sessions.looks) == 3


async def test_a_transaction_that_stays_open_is_what_was_seen_last_after_the_deadline() -> None:
    stuck = [Session(1, "idle in transaction", 2)]
    async with serving() as peer, staged(peer, service(request=ms(50))) as stage:
        stage.sessions = SessionWatch(Looks(stuck).as_postgres)
        began = time.monotonic()
        await stage.settle()
        assert time.monotonic() - began >= 0.06
        assert stage.settled == stage.sessions.looks[-1]
    assert stage.settled is not None
    assert stage.settled.longest_idle_in_transaction == 2


async def test_sessions_are_counted_until_there_are_so_many_at_most() -> None:
    """What was replaced may be closed a moment later; what was left behind costs the time."""
    many, few = [Session(1, "idle", 0)] * 8, [Session(1, "idle", 0)] * 4
    async with serving() as peer, staged(peer, service(request=seconds(PATIENCE))) as stage:
        stage.sessions = SessionWatch(Looks(many, many, few, many).as_postgres)
        await stage.count_until(4, within=seconds(PATIENCE))
        assert [look.total for look in stage.counted] == [4]
        assert len(stage.sessions.looks) == 3
        stage.sessions = SessionWatch(Looks(many).as_postgres)
        began = time.monotonic()
        await stage.count_until(4, within=ms(60))
        assert time.monotonic() - began >= 0.06
        assert [look.total for look in stage.counted] == [4, 8]


async def test_without_a_login_to_the_server_no_session_is_counted() -> None:
    async with serving() as peer, staged(peer, service(request=ms(50))) as stage:
        stage.sessions = SessionWatch(Looks(NotAssessable("no login")).as_postgres)
        await stage.count_until(4, within=seconds(PATIENCE))
    assert stage.counted == []


async def test_any_other_error_ends_the_watch() -> None:
    watch = SessionWatch(Looks(LookupError("ours")).as_postgres)
    with pytest.raises(LookupError):
        await asyncio.wait_for(watch.run(), PATIENCE)
