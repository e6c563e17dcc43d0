"""Whatever goes by: nothing raises, and what no rule concerns passes unchanged."""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import example, given
from hypothesis import strategies as st

from brownout.engine.fields import InvalidField
from brownout.engine.wire.rules import Rule
from tests.engine.fuzz.conftest import Target
from tests.engine.fuzz.effort import examples
from tests.engine.fuzz.inputs import CONVERSATIONS, RECORDS, RULES, Chunk
from tests.engine.peers import PATIENCE, Upstream
from tests.engine.wire.messages import message, ready, startup
from tests.engine.wire.watched import Watched

_OPENED = startup(user="u", application_name="shop")
_GREETED = message("R", b"\0\0\0\0") + message("K", b"\0\0\0\7\0\0\0\1") + ready()


@examples(300)
@given(CONVERSATIONS, st.lists(RULES, max_size=3), st.sampled_from([True, True, False]))
def test_frames_and_rules(
    target: Target, variants: list[list[Chunk]], rules: list[dict[str, Any]], opened: bool
) -> None:
    usable = []
    for rule in rules:
        with contextlib.suppress(InvalidField):
            usable.append(Rule.from_json(rule))
            assert Rule.from_json(usable[-1].to_json()) == usable[-1]
    for chunks in variants:
        target.count("frames", len(chunks))
        _follow(Watched(*usable), chunks, opened)


def _follow(watched: Watched, chunks: list[Chunk], opened: bool) -> None:
    if opened:
        watched.asks(_OPENED)
        watched.answers(_GREETED)
    for up, data in chunks:
        (watched.asks if up else watched.answers)(data)
        for side in (watched.server, watched.client):
            while side.waiting:
                side.waiting.pop(0)()
    watched.events()
    for force in watched.force:
        watched.rules.remove(force)
        watched.wire.rule_removed(force)
    watched.wire.close()
    assert watched.rules.texts.memory.used >= 0


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """The server that the proxies lead to."""
    one = Upstream()
    yield one
    one.close()


def _proxy(target: Target, upstream: Upstream, name: str, **more: object) -> tuple[str, int]:
    body = {"name": name, "upstream": upstream.address, "listen": "127.0.0.1:0", **more}
    answer = target.api.post("/proxies", json=body)
    assert answer.status_code == 201, answer.text
    host, _, port = answer.json()["listen"].rpartition(":")
    return host, int(port)


@pytest.fixture(scope="module", params=["plain", "postgresql", "recorded"])
def passing(
    request: pytest.FixtureRequest, target: Target, upstream: Upstream
) -> Iterator[tuple[str, int]]:
    """A proxy that changes nothing."""
    name = f"passing-{request.param}"
    protocol = "plain" if request.param == "plain" else "postgresql"
    address = _proxy(target, upstream, name, protocol=protocol)
    if request.param == "recorded":
        assert target.api.post(f"/proxies/{name}/record", json={"keep": 100}).status_code == 201
    yield address
    target.api.delete(f"/proxies/{name}")


@examples(25)
@given(CONVERSATIONS)
@example([[(True, b"\0\0\0\x08\x04\xd2\x16\x2e")]])
def test_what_no_rule_concerns_passes_unchanged(
    target: Target, upstream: Upstream, passing: tuple[str, int], variants: list[list[Chunk]]
) -> None:
    for chunks in variants:
        target.count("passed", len(chunks))
        asked = _OPENED + b"".join(data for up, data in chunks if up)
        answered = b"".join(data for up, data in chunks if not up)
        with socket.create_connection(passing, timeout=PATIENCE) as client:
            client.sendall(_OPENED)
            with upstream.accept() as server:
                for up, data in chunks:
                    (client if up else server).sendall(data)
                # The beginning of a message may wait for its end, or for that of the connection.
                for one in (client, server):
                    one.shutdown(socket.SHUT_WR)
                assert _whole(server) == asked
                assert _whole(client) == answered


def _whole(connection: socket.socket) -> bytes:
    data = b""
    while more := connection.recv(65536):
        data += more
    return data


@examples(25)
@given(CONVERSATIONS, st.lists(RULES, min_size=1, max_size=3), st.booleans())
def test_a_ruled_connection_always_ends(
    target: Target,
    upstream: Upstream,
    variants: list[list[Chunk]],
    rules: list[dict[str, Any]],
    reset: bool,
) -> None:
    target.clear()
    address = _proxy(target, upstream, "ruled", protocol="postgresql")
    target.api.post("/proxies/ruled/record", json={"keep": 100})
    for rule in rules:
        answer = target.api.post("/proxies/ruled/rules", content=json.dumps(rule).encode())
        assert answer.status_code in (201, 400, 404, 409), answer.text
    for chunks in variants:
        target.count("ruled", len(chunks))
        with socket.create_connection(address, timeout=PATIENCE) as client:
            with upstream.accept() as server, contextlib.suppress(OSError):
                client.sendall(_OPENED)
                for up, data in chunks:
                    (client if up else server).sendall(data)
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert target.api.get("/proxies/ruled/events").status_code == 200
    assert target.api.delete("/proxies/ruled").status_code == 204
    target.alive()


@pytest.fixture(scope="module")
def secured(
    target: Target, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    """A proxy that terminates TLS."""
    both: Path = tmp_path_factory.mktemp("tls") / "both.pem"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(both))
    tls = {"certificate": str(both), "key": str(both)}
    yield _proxy(target, upstream, "secured", protocol="postgresql", tls=tls)
    target.api.delete("/proxies/secured")


@examples(40)
@given(RECORDS)
def test_handshakes(
    target: Target,
    upstream: Upstream,
    secured: tuple[str, int],
    variants: list[list[tuple[bytes]]],
) -> None:
    for records in variants:
        target.count("handshakes", len(records))
        with (
            socket.create_connection(secured, timeout=PATIENCE) as client,
            upstream.accept(),
            contextlib.suppress(OSError),
        ):
            for (record,) in records:
                client.sendall(record)
    target.alive()
