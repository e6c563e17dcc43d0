"""Callers have a connection each, and cost as much in a crowd as alone."""

import asyncio
import cProfile

import httpx
import pytest

from brownout.callers import Callers
from tests.core.peer import OK, PATIENCE, RESET, Peer, Reply, Request, serving

pytestmark = pytest.mark.asyncio


def client(peer: Peer, transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=peer.url,
        timeout=PATIENCE,
        trust_env=False,
        transport=transport,
    )


async def ask_at_once(asking: httpx.AsyncClient, count: int) -> None:
    answers = await asyncio.gather(*(asking.get("/") for _ in range(count)))
    assert all(answer.status_code == 200 for answer in answers)


async def test_nobody_waits_for_another_callers_connection() -> None:
    crowd = 20
    everybody_is_there = asyncio.Event()

    async def together(_: Request) -> Reply:
        if peer.under_way == crowd:
            everybody_is_there.set()
        await everybody_is_there.wait()
        return OK

    async with serving(together) as peer, client(peer, Callers()) as asking:
        await ask_at_once(asking, crowd)
    assert peer.most_under_way == crowd


async def test_a_free_connection_is_used_again() -> None:
    async with serving() as peer:
        async with client(peer, Callers()) as asking:
            for _ in range(5):
                await ask_at_once(asking, 3)
            assert peer.connections == 3
            assert peer.closed == 0
        await peer.until(lambda: peer.closed == 3)


async def test_a_connection_that_was_idle_for_long_is_closed_by_the_next_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving() as peer, client(peer, Callers()) as asking:
        await ask_at_once(asking, 4)
        monkeypatch.setattr("brownout.callers._KEEP_ALIVE", -1.0)  # long is over at once
        await ask_at_once(asking, 1)
        await peer.until(lambda: peer.closed >= 3)


async def test_a_request_that_failed_takes_its_caller_with_it() -> None:
    replies = [RESET, OK]

    async def answer(_: Request) -> Reply:
        return replies.pop(0)

    async with serving(answer) as peer, client(peer, Callers()) as asking:
        with pytest.raises(httpx.NetworkError):
            await asking.get("/")
        assert (await asking.get("/")).status_code == 200
        assert peer.connections == 2


@pytest.mark.parametrize("connected", [False, True], ids=["a_new_caller", "a_caller_that_was_free"])
async def test_a_request_that_is_given_up_at_any_moment_stops_nobody(*, connected: bool) -> None:
    """httpcore loses a place of its pool where a request is cancelled at the wrong moment."""
    async with serving() as peer, client(peer, Callers()) as asking:
        for moment in range(80):
            if connected:
                await asking.get("/")
            request = asyncio.create_task(asking.get("/"))
            for _ in range(moment):
                await asyncio.sleep(0)
            request.cancel()
            await asyncio.wait([request])
            async with asyncio.timeout(PATIENCE):
                assert (await asking.get("/")).status_code == 200


async def calls_for(asking: httpx.AsyncClient, count: int) -> int:
    """How many function calls it takes to ask so many at once."""
    profile = cProfile.Profile()
    profile.enable()
    await ask_at_once(asking, count)
    profile.disable()
    return sum(int(entry.callcount) for entry in profile.getstats())


async def growth(transport: httpx.AsyncBaseTransport) -> float:
    """How many times as much work four times as many requests are."""
    async with serving() as peer, client(peer, transport) as asking:
        await ask_at_once(asking, 40)  # connections and imports are paid for
        return await calls_for(asking, 40) / await calls_for(asking, 10)


async def test_a_crowd_costs_no_more_for_each_request_than_a_few_do() -> None:
    assert await growth(Callers()) < 4.4


async def test_httpx_by_itself_does_not() -> None:
    """The control, and the reason for all this: once it fails, `Callers` can go."""
    unlimited = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    assert await growth(httpx.AsyncHTTPTransport(limits=unlimited)) > 4.8
