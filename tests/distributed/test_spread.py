"""Load by Locust is the built-in's: the same requests at the same moments, and the same answers."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import cast

import pytest
import pytest_asyncio

from brownout import BrownoutError, Completion, Operation, Outcome, ms, seconds
from brownout.distributed.processes import Swarm, swarm
from brownout.trial.generator import BuiltIn, Generator, once_sent
from brownout.trial.spread import Spread
from brownout.trial.stage import Stage
from tests.core.fakes import FakeService
from tests.core.made import READ, service
from tests.core.peer import (
    DROP,
    OK,
    PATIENCE,
    RESET,
    SILENCE,
    Peer,
    Reply,
    Request,
    Then,
    closed_port,
    serving,
    whole,
)
from tests.distributed.swarms import LOCAL, WITHIN
from tests.trial.staged import staged

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITE = Operation.write(
    "place",
    "POST",
    "/things?of={token}",
    headers={"X-Of": "{token}"},
    json={"customer": "{token}"},
    idempotency_header="Idempotency-Key",
)
DECLARED = service((READ, WRITE), request=seconds(PATIENCE))
HASTY = service((READ, WRITE), request=ms(100))
"""Its callers give up after 1.2 s."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def started() -> AsyncIterator[Swarm]:
    async with swarm(LOCAL, key=None, environment={}, within=WITHIN) as one:
        yield one


class Door:
    """Answers wait behind it until so many stand before it."""

    def __init__(self, opens_at: int) -> None:
        self._waiting = 0
        self._opens_at = opens_at
        self._open = asyncio.Event()

    async def __call__(self, _: Request) -> Reply:
        self._waiting += 1
        if self._waiting == self._opens_at:
            self._open.set()
        await self._open.wait()
        return OK


async def slow(_: Request) -> Reply:
    """An answer after 0.2 s."""
    await asyncio.sleep(0.2)
    return OK


def both(stage: Stage, started: Swarm) -> dict[str, Generator]:
    return {"builtin": BuiltIn(stage), "locust": Spread(stage, started, LOCAL)}


def comparable(request: Request) -> object:
    """All of a request but its random parts."""
    token = request.headers["idempotency-key"]

    def plain(text: str) -> str:
        return text.replace(token, "TOKEN")

    assert len(token) == 16
    headers = {name: plain(value) for name, value in request.headers.items()}
    headers.pop("traceparent", None)
    return request.method, plain(request.path), headers, plain(request.body.decode())


async def test_the_same_requests_are_sent(started: Swarm) -> None:
    seen = {}
    async with serving(whole(201)) as peer, staged(peer, DECLARED) as stage:
        for name, generator in both(stage, started).items():
            peer.requests.clear()
            await generator.send(WRITE, {"now": [0.0] * 20})
            seen[name] = [comparable(request) for request in peer.requests]
            tokens = {request.headers["idempotency-key"] for request in peer.requests}
            assert tokens == {answer.token for answer in stage.notes["now"][-20:]}
            assert len(tokens) == 20
    assert seen["locust"] == seen["builtin"]


async def test_each_is_sent_once_and_no_sooner_than_it_is_due(started: Swarm) -> None:
    moments = [number * 0.01 for number in range(50)]
    async with serving() as peer, staged(peer, DECLARED) as stage:
        await Spread(stage, started, LOCAL).send(
            READ, {"first": moments[:30], "then": moments[30:]}
        )
    first, then = stage.phases["first"], stage.phases["then"]
    arrived = sorted(request.at for request in peer.requests)
    assert len(arrived) == 50
    began = first.began
    soonest = began - first.error - 0.001
    assert all(at >= soonest + due for at, due in zip(arrived, moments, strict=True))
    assert [answer.started for answer in stage.notes["first"]] == [
        began + at for at in moments[:30]
    ]
    assert then.began == began + 0.3
    assert began + 0.29 <= first.ended <= then.ended
    assert first.unsent == then.unsent == 0
    assert round(first.rate) == round(30 / 0.29)
    assert {answer.outcome for answer in stage.answers} == {Outcome.ACKNOWLEDGED}
    assert len(stage.answers) == 50


async def test_lateness_and_the_clocks_error_are_told(started: Swarm) -> None:
    async with serving(slow) as peer, staged(peer, DECLARED) as stage:
        await Spread(stage, started, LOCAL).send(READ, {"first": [0.0] * 10, "then": [0.5] * 10})
    first, then = stage.phases["first"], stage.phases["then"]
    assert 0 < first.error == then.error < 0.05
    for phase in (first, then):
        assert all(lag >= 0 for lag in phase.lags)
        # Each worker also looks at its clock a hundred times a second, until all is answered.
        assert 10 < len(phase.lags) <= 10 + 2 * 100


async def test_arrivals_do_not_wait_for_answers(started: Swarm) -> None:
    async with serving(Door(opens_at=40)) as peer, staged(peer, DECLARED) as stage:
        await Spread(stage, started, LOCAL).send(READ, {"x": [at * 0.005 for at in range(40)]})
    assert peer.most_under_way == 40
    assert len(stage.answers) == 40


async def test_a_latency_begins_at_the_moment_that_was_meant(started: Swarm) -> None:
    async with serving(slow) as peer, staged(peer, DECLARED) as stage:
        await Spread(stage, started, LOCAL).send(READ, {"x": [0.3] * 4})
    (phase,) = stage.phases.values()
    for answer in stage.notes["x"]:
        assert answer.started == phase.began
        assert answer.elapsed.total_seconds() >= 0.2
        assert answer.finished >= phase.began + 0.2


PACKED = whole(200, gzip.compress(b'{"packed": true}'), "Content-Encoding: gzip")
REPLIES = {
    "whole": OK,
    "refused": whole(503, b'{"type": "/problems/x"}', "Retry-After: 1", "X-A: 1", "X-A: 2"),
    "redirect": whole(302, b"", "Location: /elsewhere", "Set-Cookie: a=b"),
    "packed": PACKED,
    "wrongly packed": whole(200, b"no gzip", "Content-Encoding: gzip"),
    "without a length": Reply(b"HTTP/1.1 200 x\r\n\r\nall of it", Then.CLOSE),
    "chunked": Reply(
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", Then.KEEP
    ),
    "cut off": Reply(b"HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n{", Then.CLOSE),
    "dropped": DROP,
    "reset": RESET,
    "no http": Reply(b"hello\r\n\r\n", Then.CLOSE),
    "silent": SILENCE,
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
async def test_the_same_comes_of_the_same_reply(started: Swarm, reply: Reply) -> None:
    seen = {}
    async with serving(reply) as peer, staged(peer, HASTY, patience=ms(1200)) as stage:
        for name, generator in both(stage, started).items():
            stage.answers.clear()
            await generator.send(READ, {"x": [0.0]})
            (answer,) = stage.answers
            seen[name] = (
                *(answer.ending, answer.outcome, answer.status, answer.headers, answer.body),
            )
            if reply is SILENCE:
                assert answer.ending is Completion.NO_ANSWER
                assert 1.2 <= answer.elapsed.total_seconds() < PATIENCE
    assert seen["locust"] == seen["builtin"]
    assert len(peer.requests) == 2


async def test_a_service_that_goes_away_refuses_connections(started: Swarm) -> None:
    async with serving() as peer, staged(peer, DECLARED) as stage:
        arriving = asyncio.create_task(
            Spread(stage, started, LOCAL).send(READ, {"x": [0.0, *[1.0] * 6]})
        )
        await peer.until(lambda: len(peer.requests) == 1)
        peer.refuse()
        await arriving
    endings = [answer.ending for answer in stage.notes["x"]]
    assert endings == [Completion.ANSWERED] + [Completion.CONNECTION_REFUSED] * 6


async def test_a_service_that_has_ended_is_not_asked_further(started: Swarm) -> None:
    for name in ("builtin", "locust"):
        async with serving() as peer, staged(peer, DECLARED) as stage:
            arriving = asyncio.create_task(
                both(stage, started)[name].send(READ, {"x": [0.0, 0.0, 0.0, *[1.5] * 6]})
            )
            await peer.until(lambda: len(peer.requests) == 3)
            cast("FakeService", stage.service).end(1)
            await arriving
        assert len(peer.requests) == len(stage.notes["x"]) == 3, name
        assert stage.phases["x"].unsent == 6, name


async def test_what_comes_after_the_last_was_sent_waits_for_no_answer(started: Swarm) -> None:
    for name in ("builtin", "locust"):
        door = asyncio.Event()

        async def reply(_: Request) -> Reply:
            await door.wait()  # noqa: B023 - this turn's
            return OK

        async with serving(reply) as peer, staged(peer, DECLARED) as stage:
            async with once_sent(both(stage, started)[name], READ, {"x": [0.0] * 5}):
                assert "x" not in stage.notes, name
                door.set()
            assert len(stage.notes["x"]) == 5, name


async def test_a_service_that_no_load_worker_reaches_is_not_blamed(started: Swarm) -> None:
    """It is told, unless the service itself has ended. It ends the processes, so it comes last."""
    with closed_port() as url:
        async with staged(Peer(lambda _: asyncio.sleep(0, OK), url), DECLARED) as stage:
            with pytest.raises(BrownoutError, match="does not reach the service") as caught:
                async with once_sent(Spread(stage, started, LOCAL), READ, {"x": [0.0]}):
                    pytest.fail("nothing was sent")
            assert "Connection refused" in caught.value.tried[0]
            cast("FakeService", stage.service).end(1)
            await Spread(stage, started, LOCAL).send(READ, {"x": [0.0]})
    assert stage.answers == []
    assert stage.phases == {}
