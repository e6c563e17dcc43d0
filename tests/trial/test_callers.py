"""Callers have a connection each, and cost as much in a crowd as alone."""

import asyncio
import cProfile
import gzip
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial

import httpcore
import httpx
import pytest

from brownout.trial.callers import Callers, StaleConnection
from tests.core.peer import DROP, OK, PATIENCE, RESET, Peer, Reply, Request, Then, serving, whole

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def no_connection_is_idle_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is: what a test counts must not depend on it."""
    monkeypatch.setattr("brownout.trial.callers._KEEP_ALIVE", PATIENCE)


async def ask(callers: Callers, peer: Peer) -> httpx.Response:
    return await callers.send(httpx.Request("GET", peer.url))


async def ask_at_once(callers: Callers, peer: Peer, count: int) -> None:
    answers = await asyncio.gather(*(ask(callers, peer) for _ in range(count)))
    assert all(answer.status_code == 200 for answer in answers)


async def test_nobody_waits_for_another_callers_connection() -> None:
    crowd = 20
    everybody_is_there = asyncio.Event()

    async def together(_: Request) -> Reply:
        if peer.under_way == crowd:
            everybody_is_there.set()
        await everybody_is_there.wait()
        return OK

    async with serving(together) as peer, aclosing(Callers(peer.url)) as callers:
        await ask_at_once(callers, peer, crowd)
    assert peer.most_under_way == crowd


async def test_a_free_connection_is_used_again() -> None:
    async with serving() as peer:
        async with aclosing(Callers(peer.url)) as callers:
            for _ in range(5):
                await ask_at_once(callers, peer, 3)
            assert peer.connections == 3
            assert peer.closed == 0
        await peer.until(lambda: peer.closed == 3)


async def test_a_connection_that_was_idle_for_long_is_closed_by_the_next_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("brownout.trial.callers._KEEP_ALIVE", 0.0)  # long is over at once
    async with serving() as peer, aclosing(Callers(peer.url)) as callers:
        await ask_at_once(callers, peer, 4)
        await ask_at_once(callers, peer, 1)
        await peer.until(lambda: peer.closed == 4)
        assert peer.connections == 5


async def test_a_connection_that_the_service_closed_is_used_no_more() -> None:
    async def answer(_: Request) -> Reply:
        return OK if len(peer.requests) == 1 else whole(then=Then.CLOSE)

    async with serving(answer) as peer, aclosing(Callers(peer.url)) as callers:
        await ask(callers, peer)
        for closed in range(1, 4):
            await ask(callers, peer)
            await peer.until(lambda closed=closed: peer.closed == closed)  # type: ignore[misc]
        assert peer.connections == 3


@pytest.mark.parametrize(
    ("keep_alive", "status"), [(True, 302), (True, 404), (True, 500), (False, 200)]
)
async def test_a_connection_serves_again_only_after_a_2xx_where_it_may_at_all(
    *, keep_alive: bool, status: int
) -> None:
    async with (
        serving(whole(status)) as peer,
        aclosing(Callers(peer.url, keep_alive=keep_alive)) as callers,
    ):
        for asked in range(1, 4):
            assert (await ask(callers, peer)).status_code == status
            await peer.until(lambda asked=asked: peer.closed == asked)  # type: ignore[misc]
        assert peer.connections == 3


@pytest.mark.parametrize("silently", [DROP, RESET], ids=["fin", "rst"])
async def test_a_used_connection_that_ends_before_a_byte_came_is_stale(silently: Reply) -> None:
    replies = [OK, silently, silently]

    async def answer(_: Request) -> Reply:
        return replies.pop(0)

    async with serving(answer) as peer, aclosing(Callers(peer.url)) as callers:
        await ask(callers, peer)
        with pytest.raises(StaleConnection):
            await ask(callers, peer)
        with pytest.raises((httpcore.NetworkError, httpcore.RemoteProtocolError)):
            await ask(callers, peer)
        assert peer.connections == 2, "nothing is asked twice"
        assert len(peer.requests) == 3


async def test_a_service_may_say_that_it_closes() -> None:
    closing = whole(200, b"{}", "Connection: close")
    async with serving(closing) as peer, aclosing(Callers(peer.url)) as callers:
        for _ in range(3):
            await ask(callers, peer)
        assert peer.connections == 3
        await peer.until(lambda: peer.closed == 3)


async def test_callers_that_are_busy_are_closed_when_they_are_free() -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def answer(_: Request) -> Reply:
        asked.set()
        await answered.wait()
        return OK

    async with serving(answer) as peer:
        callers = Callers(peer.url)
        request = asyncio.create_task(ask(callers, peer))
        await asked.wait()
        await callers.aclose()
        answered.set()
        assert (await request).status_code == 200
        await peer.until(lambda: peer.closed == 1)


async def test_a_request_that_failed_takes_its_caller_with_it() -> None:
    replies = [RESET, OK]

    async def answer(_: Request) -> Reply:
        return replies.pop(0)

    async with serving(answer) as peer, aclosing(Callers(peer.url)) as callers:
        with pytest.raises(httpcore.NetworkError):
            await ask(callers, peer)
        assert (await ask(callers, peer)).status_code == 200
        assert peer.connections == 2


@pytest.mark.parametrize("connected", [False, True], ids=["a_new_caller", "a_caller_that_was_free"])
async def test_a_request_that_is_given_up_at_any_moment_stops_nobody(*, connected: bool) -> None:
    moments = 80
    async with serving() as peer:
        async with aclosing(Callers(peer.url)) as callers:
            for moment in range(moments):
                if connected:
                    await ask(callers, peer)
                request = asyncio.create_task(ask(callers, peer))
                for _ in range(moment):
                    await asyncio.sleep(0)
                request.cancel()
                await asyncio.wait([request])
                async with asyncio.timeout(PATIENCE):
                    assert (await ask(callers, peer)).status_code == 200
            assert request.result().status_code == 200, "the last was given up too: more moments"
        await peer.until(lambda: peer.closed == peer.connections)


async def test_every_request_stands_alone() -> None:
    moved = whole(302, b"", "Set-Cookie: session=1", "Location: /elsewhere")
    async with serving(moved) as peer, aclosing(Callers(peer.url)) as callers:
        for _ in range(2):
            assert (await ask(callers, peer)).status_code == 302
    assert [request.path for request in peer.requests] == ["/", "/"]
    assert all("cookie" not in request.headers for request in peer.requests)


async def test_an_answer_is_unpacked_and_its_headers_are_as_they_came() -> None:
    body = gzip.compress(b"[1, 2]")
    head = b"HTTP/1.1 200 x\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    packed = Reply(head + chunks, Then.KEEP)
    async with serving(packed) as peer, aclosing(Callers(peer.url)) as callers:
        answer = await ask(callers, peer)
    assert answer.content == b"[1, 2]"
    assert answer.headers.multi_items() == [
        ("content-encoding", "gzip"),
        ("transfer-encoding", "chunked"),
    ]


Asking = Callable[[], Awaitable[httpx.Response | httpcore.Response]]


async def calls_for(asking: Asking, count: int) -> int:
    """How many function calls it takes to ask so many at once."""
    profile = cProfile.Profile()
    profile.enable()
    await asyncio.gather(*(asking() for _ in range(count)))
    profile.disable()
    return sum(int(entry.callcount) for entry in profile.getstats())


async def growth(asking: Asking) -> float:
    """How many times as much work four times as many requests are."""
    await asyncio.gather(*(asking() for _ in range(40)))  # connections and imports are paid for
    return await calls_for(asking, 40) / await calls_for(asking, 10)


async def test_a_crowd_costs_no_more_for_each_request_than_a_few_do() -> None:
    async with serving() as peer, aclosing(Callers(peer.url)) as callers:
        assert await growth(partial(ask, callers, peer)) < 4.4


async def test_a_pool_s_crowd_does() -> None:
    """The control, and the reason for all this: once it fails, httpcore's pool can do the same."""
    async with serving() as peer, httpcore.AsyncConnectionPool(max_connections=None) as pool:
        assert await growth(partial(pool.request, "GET", peer.url)) > 4.8
