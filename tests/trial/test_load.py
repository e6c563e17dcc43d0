"""Load comes as it was asked for, every answer is kept, and nothing goes on behind its block."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable

import pytest

import brownout.trial.load
import brownout.trial.probe
from brownout import BrownoutError, Completion, Operation, Outcome, ms, seconds
from brownout.trial.load import Load, Stream
from brownout.trial.probe import Probe
from tests.core.made import READ, WRITE, answer, service
from tests.core.peer import OK, PATIENCE, SILENCE, Reply, Request, serving, whole

pytestmark = pytest.mark.asyncio

LONG = seconds(PATIENCE)


class Door:
    """Answers wait behind it until it is opened, or until so many stand before it."""

    def __init__(self, opens_at: int | None = None) -> None:
        self.waiting = 0
        self._opens_at = opens_at
        self._open = asyncio.Event()

    def open(self) -> None:
        """Let everybody through, from now on."""
        self._open.set()

    async def __call__(self, _: Request) -> Reply:
        self.waiting += 1
        if self.waiting == self._opens_at:
            self.open()
        await self._open.wait()
        return OK


def others() -> list[str]:
    """What of a load or its probe still runs."""
    running = [getattr(task.get_coro(), "cr_code", None) for task in asyncio.all_tasks()]
    files = [code.co_filename for code in running if code is not None]
    ours = {brownout.trial.load.__file__, brownout.trial.probe.__file__}
    return [file for file in files if file in ours]


def failing_at(number: int) -> Callable[..., object]:
    """A probe's `ask` that this machine fails at its n-th call."""
    calls = 0

    async def ask(*_: object) -> object:
        nonlocal calls
        calls += 1
        if calls == number:
            raise BrownoutError("no sockets left")
        await asyncio.sleep(0.001)
        return answer()

    return ask


# -- paced ---------------------------------------------------------------------------------------


async def test_paced_arrivals_do_not_wait_for_answers() -> None:
    async with (
        serving(Door(opens_at=20)) as peer,
        Probe(service(), peer.url) as probe,
        Load(probe).paced(READ, every=ms(1)) as stream,
    ):
        assert await stream.adds(20, within=LONG)
    assert peer.most_under_way >= 20
    assert len(stream.answers) == len(peer.requests)


async def test_paced_arrivals_come_no_sooner_than_asked_for_and_catch_up_when_late() -> None:
    async with serving() as peer, Probe(service(), peer.url) as probe:
        began = time.monotonic()
        async with Load(probe).paced(READ, every=ms(5)) as stream:
            await asyncio.sleep(0)
            time.sleep(0.05)  # noqa: ASYNC251 - the loop is held up, and ten arrivals are due
            assert await stream.adds(15, within=LONG)
    arrivals = [request.at - began for request in peer.requests]
    assert all(arrival >= number * 0.005 for number, arrival in enumerate(arrivals))
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    assert sum(gap < 0.005 for gap in gaps) >= 3


async def test_the_end_of_a_paced_block_waits_for_those_under_way() -> None:
    door = Door()
    async with serving(door) as peer, Probe(service(), peer.url) as probe:
        async with Load(probe).paced(READ, every=ms(1)) as stream:
            await peer.until(lambda: peer.under_way >= 3)
            assert stream.answers == []
            asyncio.get_running_loop().call_later(0.02, door.open)
        assert len(stream.answers) == len(peer.requests) >= 3
        assert all(one.succeeded for one in stream.answers)
        assert not others()


async def test_an_error_in_a_paced_block_goes_its_way_when_all_has_ended() -> None:
    async with serving() as peer, Probe(service(), peer.url) as probe:
        streams = []

        async def block() -> None:
            async with Load(probe).paced(READ, every=ms(1)) as stream:
                streams.append(stream)
                await stream.adds(2, within=LONG)
                raise LookupError

        with pytest.raises(LookupError):
            await block()
        [stream] = streams
        assert len(stream.answers) == len(peer.requests)
        assert not others()


async def test_a_failure_of_ours_under_paced_load_is_no_lost_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Probe(service(), "http://127.0.0.1:1") as probe:
        monkeypatch.setattr(probe, "ask", failing_at(3))
        with pytest.raises(BrownoutError, match="no sockets left"):
            async with Load(probe).paced(READ, every=ms(1)) as stream:
                await stream.adds(5, within=LONG)
        assert not others()


# -- a crowd -------------------------------------------------------------------------------------


async def test_a_crowd_is_as_many_callers_as_asked_for_each_asking_again() -> None:
    together = asyncio.Barrier(4)

    async def reply(_: Request) -> Reply:
        await together.wait()
        return OK

    async with serving(reply) as peer, Probe(service(), peer.url) as probe:
        async with Load(probe).crowd(READ, callers=4) as stream:
            assert await stream.adds(12, within=LONG)
            async with asyncio.timeout(PATIENCE):
                # The last round may find fewer than four; let nobody wait for the others.
                peer.answer = lambda _: asyncio.sleep(0, OK)
                await together.abort()
        assert peer.most_under_way == 4
        assert not others()


async def test_the_callers_of_a_crowd_ask_several_operations_by_turns() -> None:
    async with (
        serving() as peer,
        Probe(service(), peer.url) as probe,
        Load(probe).crowd(READ, WRITE, callers=2) as stream,
    ):
        await peer.until(lambda: len(peer.requests) >= 2)
        first = {request.method for request in peer.requests[:2]}
        assert await stream.adds(6, within=LONG)
    assert first == {"GET", "POST"}
    counts = Counter(one.operation for one in stream.answers)
    assert abs(counts["list"] - counts["place"]) <= 2


async def test_a_caller_of_a_crowd_who_is_refused_comes_back_after_50_ms() -> None:
    async with (
        serving(whole(503)) as peer,
        Probe(service(), peer.url) as probe,
        Load(probe).crowd(READ, callers=1) as stream,
    ):
        assert await stream.adds(3, within=LONG)
    gaps = [
        later.started - earlier.finished for earlier, later in itertools.pairwise(stream.answers)
    ]
    assert all(gap >= 0.05 for gap in gaps)
    assert {one.outcome for one in stream.answers} == {Outcome.REFUSED}


async def test_the_end_of_a_crowd_waits_for_those_under_way() -> None:
    door = Door()
    async with serving(door) as peer, Probe(service(), peer.url) as probe:
        async with Load(probe).crowd(READ, callers=3) as stream:
            await peer.until(lambda: peer.under_way == 3)
            asyncio.get_running_loop().call_later(0.02, door.open)
        assert len(stream.answers) == len(peer.requests) == 3
        assert all(one.succeeded for one in stream.answers)
        assert not others()


async def test_an_error_in_a_crowd_s_block_goes_its_way_when_all_has_ended() -> None:
    async with serving() as peer, Probe(service(), peer.url) as probe:
        streams = []

        async def block() -> None:
            async with Load(probe).crowd(READ, callers=3) as stream:
                streams.append(stream)
                await stream.adds(1, within=LONG)
                raise LookupError

        with pytest.raises(LookupError):
            await block()
        [stream] = streams
        assert len(stream.answers) == len(peer.requests)
        assert not others()


async def test_a_failure_of_ours_in_a_crowd_is_raised_when_all_callers_are_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Probe(service(), "http://127.0.0.1:1") as probe:
        monkeypatch.setattr(probe, "ask", failing_at(2))
        with pytest.raises(BrownoutError, match="no sockets left"):
            async with Load(probe).crowd(READ, callers=3) as stream:
                await stream.adds(5, within=LONG)
        assert not others()


# -- callers who go away -------------------------------------------------------------------------


async def test_callers_who_go_away_close_their_connections() -> None:
    async with serving(SILENCE) as peer, Probe(service(), peer.url) as probe:
        await Load(probe).abort(READ, count=10, after=ms(100))
        assert not others()
        # On a busy machine some may not have sent their requests by then.
        await peer.until(lambda: peer.gone == len(peer.requests))
    assert peer.gone <= 10


async def test_as_many_callers_go_away_as_asked_for_and_no_sooner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left: list[Operation] = []

    async def ask(operation: Operation) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            left.append(operation)

    async with Probe(service(), "http://127.0.0.1:1") as probe:
        monkeypatch.setattr(probe, "ask", ask)
        began = time.monotonic()
        await Load(probe).abort(READ, WRITE, count=9, after=ms(30))
        assert time.monotonic() - began >= 0.03
    assert (left.count(READ), left.count(WRITE)) == (5, 4)


async def test_no_caller_goes_away_from_where_none_came() -> None:
    async with Probe(service(), "http://127.0.0.1:1") as probe:
        await Load(probe).abort(READ, count=0, after=ms(0))


# -- a stream ------------------------------------------------------------------------------------


async def test_a_stream_counts_what_comes_from_now_on_and_fulfils_the_condition() -> None:
    stream = Stream()
    for status in (200, 503, 200):
        await stream.note(answer(status))
    waiting = asyncio.create_task(stream.adds(2, lambda one: one.succeeded, within=LONG))
    for status in (200, 503, 503):
        await asyncio.sleep(0)
        await stream.note(answer(status))
    assert not waiting.done()
    await stream.note(answer(200))
    assert await waiting
    assert [one.status for one in stream.answers] == [200, 503, 200, 200, 503, 503, 200]


async def test_a_stream_looks_at_each_answer_once_however_many_there_are() -> None:
    stream, looked = Stream(), 0

    def look(_: object) -> bool:
        nonlocal looked
        looked += 1
        return True

    for _ in range(50):
        await stream.note(answer())
    waiting = asyncio.create_task(stream.adds(30, look, within=LONG))
    for _ in range(30):
        await asyncio.sleep(0)
        await stream.note(answer())
    assert await waiting
    assert looked == 30


async def test_a_stream_says_that_what_was_waited_for_did_not_come() -> None:
    stream = Stream()
    await stream.note(answer())
    assert not await stream.adds(1, within=ms(20))
    assert await stream.adds(0, within=ms(20))


async def test_dropped_and_silent_requests_are_in_the_stream_too() -> None:
    async with (
        serving(SILENCE) as peer,
        Probe(service(), peer.url, patience=ms(30)) as probe,
        Load(probe).crowd(READ, callers=2) as stream,
    ):
        assert await stream.adds(2, within=LONG)
    assert {one.ending for one in stream.answers} == {Completion.NO_ANSWER}
