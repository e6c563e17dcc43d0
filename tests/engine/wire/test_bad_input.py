"""What is no protocol, or too much of it: bounded memory, and nobody else notices."""

import selectors
import socket
from collections.abc import Callable, Iterator

import psutil
import pytest
import requests

from brownout.control import EngineClient, EngineProcess, ProxyRecord
from brownout.engine.wire.actions import Cut, Stall
from brownout.engine.wire.rules import Rule
from brownout.engine.wire.when import When
from tests.engine.peers import PATIENCE, Upstream, connect, ending, read, soon
from tests.engine.wire.messages import message, query, ready, startup

OPENED = startup(user="u")
GREETED = message("R", b"\0\0\0\0") + ready()
FLOOD = 64 << 20
SPARED = 8 << 20  # bytes by which the engine may grow: a few buffers, not a part of a flood


@pytest.fixture
def framed(make_proxy: Callable[..., ProxyRecord], upstream: Upstream) -> ProxyRecord:
    return make_proxy(upstream.address, protocol="postgresql")


def _session(proxy: ProxyRecord, upstream: Upstream) -> tuple[socket.socket, socket.socket]:
    caller = connect(proxy)
    server = upstream.accept()
    caller.sendall(OPENED)
    assert read(server, len(OPENED)) == OPENED
    server.sendall(GREETED)
    assert read(caller, len(GREETED)) == GREETED
    return caller, server


@pytest.fixture
def bystander(framed: ProxyRecord, upstream: Upstream) -> Iterator[Callable[[], None]]:
    """Another session of the same proxy; calling it proves that it still works."""
    caller, server = _session(framed, upstream)

    def works() -> None:
        caller.sendall(query("select 1"))
        assert read(server, len(query("select 1"))) == query("select 1")
        server.sendall(ready())
        assert read(caller, len(ready())) == ready()

    works()
    with caller:
        yield works
        works()


@pytest.fixture
def grown(engine: EngineProcess) -> Callable[[], int]:
    """By how many bytes the engine has grown since the test began."""
    process = psutil.Process(engine.pid)
    before = process.memory_full_info().uss

    def by() -> int:
        return int(process.memory_full_info().uss) - before

    return by


@pytest.fixture
def opaque(engine: EngineProcess, framed: ProxyRecord) -> Callable[[], list[str]]:
    """Why connections of the proxy are not followed."""
    url = f"http://{engine.address}/proxies/{framed.name}/connections"

    def reasons() -> list[str]:
        seen = [one["wire"] for one in requests.get(url, timeout=PATIENCE).json()]
        return [one["opaque"] for one in seen if one is not None and one["opaque"]]

    return reasons


def _pour(caller: socket.socket, server: socket.socket, size: int) -> int:
    """Send `size` bytes while the server reads them; how many it has read."""
    data = memoryview(bytes(1 << 20))
    sent = got = 0
    caller.setblocking(False)
    server.setblocking(False)
    with selectors.DefaultSelector() as selector:
        selector.register(caller, selectors.EVENT_WRITE)
        selector.register(server, selectors.EVENT_READ)
        while got < size:
            ready_now = selector.select(PATIENCE)
            assert ready_now, f"{got} of {size} bytes came through"
            for key, _ in ready_now:
                if key.fileobj is server:
                    got += len(server.recv(1 << 20))
                elif sent < size:
                    sent += caller.send(data[: min(len(data), size - sent)])
                else:
                    selector.unregister(caller)
    return got


@pytest.mark.parametrize("length", [0x7FFFFFFF, 0x3FFFFFFF])
@pytest.mark.parametrize("ruled", [False, True])
def test_a_length_of_gigabytes_takes_no_memory(
    length: int,
    ruled: bool,
    framed: ProxyRecord,
    upstream: Upstream,
    client: EngineClient,
    bystander: Callable[[], None],
    grown: Callable[[], int],
) -> None:
    if ruled:
        client.wire.add_rule(framed.name, Rule(When(("Query",), sql="drop"), Cut()))
    caller, server = _session(framed, upstream)
    with caller:
        beginning = b"Q" + length.to_bytes(4, "big")
        caller.sendall(beginning)
        _pour(caller, server, FLOOD)
        assert grown() < SPARED
        bystander()


def test_a_stalled_connection_is_not_read_on(
    framed: ProxyRecord,
    upstream: Upstream,
    client: EngineClient,
    bystander: Callable[[], None],
    grown: Callable[[], int],
) -> None:
    client.wire.add_rule(framed.name, Rule(When(("Query",), sql="insert"), Stall(), "stall"))
    caller, server = _session(framed, upstream)
    with caller:
        caller.sendall(query("insert"))
        assert soon(lambda: client.wire.rule(framed.name, "stall").hits == 1)
        caller.settimeout(0.5)
        with pytest.raises(TimeoutError):
            caller.sendall(bytes(FLOOD))
        assert grown() < SPARED
        bystander()
        client.wire.remove_rule(framed.name, "stall")
        assert read(server, len(query("insert"))) == query("insert")


@pytest.mark.parametrize(
    "malformed", [b"\0\0\0\0\4", b"Q\0\0\0\3", b"%\0\0\0\4", b"Q\xff\xff\xff\xff"]
)
def test_a_malformed_frame_is_the_servers_to_answer(
    malformed: bytes,
    framed: ProxyRecord,
    upstream: Upstream,
    opaque: Callable[[], list[str]],
    client: EngineClient,
    bystander: Callable[[], None],
) -> None:
    client.wire.add_rule(framed.name, Rule(When(("Query",), sql="drop"), Cut()))
    caller, server = _session(framed, upstream)
    with caller:
        caller.sendall(malformed)
        assert read(server, len(malformed)) == malformed
        bystander()
        (reason,) = opaque()
        assert "begins no message" in reason
        server.sendall(b"refused")
        server.close()
        assert read(caller, 7) == b"refused"
        assert ending(caller) == "fin"


@pytest.mark.parametrize("beginning", [b"", OPENED[:3], OPENED[:-1]])
def test_a_start_up_that_never_comes_waits_until_the_server_has_enough(
    beginning: bytes,
    framed: ProxyRecord,
    upstream: Upstream,
    client: EngineClient,
    bystander: Callable[[], None],
) -> None:
    with connect(framed) as caller:
        server = upstream.accept()
        caller.sendall(beginning)
        bystander()
        server.close()  # as PostgreSQL does after its authentication_timeout
        assert ending(caller) == "fin"
    assert soon(lambda: sum(one.open for one in client.connections(framed.name)) == 1)
