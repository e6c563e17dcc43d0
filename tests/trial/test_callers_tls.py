"""Callers of a service that speaks HTTPS."""

import asyncio
import gc
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from brownout.observations import Completion
from brownout.service.tls import trusting
from brownout.trial.callers import Callers
from brownout.trial.probe import Probe
from brownout.units import ms
from tests.core.certified import Authority, server_context
from tests.core.made import READ, service
from tests.core.peer import DROP, PATIENCE, SILENCE, Reply, Then, serving, whole

pytestmark = pytest.mark.asyncio

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2,"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.in_folder(tmp_path_factory.mktemp("certificates") / "own")


async def test_a_connection_is_used_again(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brownout.trial.callers._KEEP_ALIVE", PATIENCE)
    tls = trusting(authority.certificate)
    async with (
        serving(tls=server_context(authority.issued())) as peer,
        aclosing(Callers(peer.url, tls=tls)) as callers,
    ):
        for _ in range(5):
            answer = await callers.send(httpx.Request("GET", peer.url))
            assert answer.status_code == 200
    assert (len(peer.requests), peer.connections) == (5, 1)


@pytest.mark.parametrize(
    ("reply", "ending"),
    [
        (whole(503), Completion.ANSWERED),
        (DROP, Completion.DROPPED),
        (Reply(HALF, Then.CLOSE), Completion.DROPPED),
        (Reply(HALF, Then.RESET), Completion.DROPPED),
        (SILENCE, Completion.NO_ANSWER),
    ],
    ids=["error", "no_byte", "half", "half_reset", "silence"],
)
async def test_a_request_ends_as_by_plain_http(
    reply: Reply, ending: Completion, authority: Authority
) -> None:
    tls = trusting(authority.certificate)
    context = server_context(authority.issued())
    patience = ms(100) if ending is Completion.NO_ANSWER else None
    async with (
        serving(reply, tls=context) as peer,
        Probe(service(), peer.url, tls=tls, patience=patience) as probe,
    ):
        assert (await probe.ask(READ)).ending is ending


async def test_a_service_with_another_certificate_is_sent_nothing(
    authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority.in_folder(tmp_path / "stranger")
    context = server_context(stranger.issued())
    async with (
        serving(tls=context) as peer,
        Probe(service(), peer.url, tls=trusting(authority.certificate)) as probe,
    ):
        assert (await probe.ask(READ)).ending is Completion.DROPPED
    assert peer.requests == []


async def test_a_handshake_that_is_given_up_leaves_no_connection_open(
    authority: Authority,
) -> None:
    """A frozen service accepts connections and says nothing, not even in the handshake."""
    crowd = 10
    gone = asyncio.Semaphore(0)

    async def frozen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass
        gone.release()
        writer.close()

    server = await asyncio.start_server(frozen, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    tls = trusting(authority.certificate)
    gc.disable()  # it would close them, too, at some time
    try:
        async with Probe(service(), url, tls=tls, patience=ms(100)) as probe:
            answers = await probe.burst(READ, crowd)
        async with asyncio.timeout(PATIENCE):
            for _ in range(crowd):
                await gone.acquire()
    finally:
        gc.enable()
        server.close()
        await server.wait_closed()
    assert {answer.ending for answer in answers} == {Completion.NO_ANSWER}
