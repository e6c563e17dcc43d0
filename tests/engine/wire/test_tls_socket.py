"""A socket that speaks TLS behaves as a plain one that never blocks, whatever fits into it."""

import random
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import trustme

from brownout.engine.wire.tls import TlsSocket


class _Heard:
    def __init__(self) -> None:
        self.secure: list[str | None] = []
        self.reasons: list[str] = []

    def secured(self, ended: TlsSocket) -> None:
        self.secure.append(ended.version)

    def not_secured(self, ended: TlsSocket, reason: str) -> None:
        assert ended.version is None
        self.reasons.append(reason)


def _context(*, server: bool, authority: trustme.CA | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    if server:
        (authority or trustme.CA()).issue_cert("localhost").configure_cert(context)
    elif authority is not None:
        authority.configure_trust(context)
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.fixture
def pair() -> Iterator[tuple[TlsSocket, TlsSocket, _Heard]]:
    """Client and server, with as little room between them as the kernel allows."""
    heard = _Heard()
    with ExitStack() as stack:
        raw = socket.socketpair()
        for one in raw:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        server = stack.enter_context(TlsSocket(raw[1], _context(server=True), heard))
        client = stack.enter_context(
            TlsSocket(raw[0], _context(server=False), heard, hostname="localhost")
        )
        client.begin()
        yield client, server, heard


def _read(one: TlsSocket, size: int = 65536) -> bytes:
    try:
        return one.recv(size)
    except BlockingIOError:
        return b""


def _send(one: TlsSocket, data: memoryview) -> int:
    try:
        return one.send(data)
    except BlockingIOError:
        return 0


@pytest.mark.parametrize("seed", range(20))
def test_what_is_sent_arrives_whatever_fits(
    seed: int, pair: tuple[TlsSocket, TlsSocket, _Heard]
) -> None:
    client, server, heard = pair
    draws = random.Random(seed)  # noqa: S311
    sent = {one: draws.randbytes(draws.randrange(1, 300_000)) for one in (client, server)}
    got = {one: bytearray() for one in (client, server)}
    rest = {one: memoryview(data) for one, data in sent.items()}
    other = {client: server, server: client}
    for _ in range(100_000):
        one = draws.choice((client, server))
        if draws.random() < 0.5:
            early = one.version is None
            if not early or len(sent[one]) - len(rest[one]) < 40_000:
                rest[one] = rest[one][_send(one, rest[one][: 20_000 if early else None]) :]
        else:
            got[one] += _read(one, draws.choice((1, 5, 100, 4096, 65536)))
        if all(len(got[one]) == len(sent[other[one]]) for one in got):
            break
    assert all(bytes(got[one]) == sent[other[one]] for one in got)
    assert heard.secure == ["TLSv1.3", "TLSv1.3"]
    assert heard.reasons == []


def test_an_end_is_said_and_the_other_way_stays_open(
    pair: tuple[TlsSocket, TlsSocket, _Heard],
) -> None:
    client, server, _ = pair
    client.send(b"last words")
    for _ in range(10):
        got = _read(server)
        _read(client)
        if got:
            break
    assert got == b"last words"
    server.shutdown(socket.SHUT_WR)
    assert client.recv(100) == b""
    client.shutdown(socket.SHUT_WR)
    assert server.recv(100) == b""


def test_more_than_a_start_up_does_not_wait_for_a_handshake(
    pair: tuple[TlsSocket, TlsSocket, _Heard],
) -> None:
    client, _, _ = pair
    assert client.send(b"x" * 60_000) == 60_000
    with pytest.raises(ConnectionAbortedError):
        client.send(b"x" * 60_000)


def test_a_handshake_that_fails_is_told_once_to_both() -> None:
    heard = _Heard()
    raw = socket.socketpair()
    with (
        TlsSocket(raw[1], _context(server=True), heard) as server,
        TlsSocket(
            raw[0], _context(server=False, authority=trustme.CA()), heard, hostname="localhost"
        ) as client,
    ):
        client.begin()
        for _ in range(5):
            _read(server)
            _read(client)
        assert client.recv(100) == server.recv(100) == b""
    first, second = heard.reasons
    assert "certificate" in first
    assert "unknown ca" in second
    assert heard.secure == []
