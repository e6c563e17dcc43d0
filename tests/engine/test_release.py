"""A connection that is over is gone at once, with all its parts: the collector finds nothing."""

import asyncio
import contextlib
import gc
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from brownout.engine.relay.address import resolve
from brownout.engine.relay.collection import Proxies, resolve_wanted
from brownout.engine.relay.connection import Connection
from brownout.engine.relay.proxy import Protocol, Proxy, WhenDown
from brownout.engine.relay.reactor import Reactor
from brownout.engine.stream import Scope
from brownout.engine.toxics import TOXICS
from brownout.engine.toxics.noop import Noop
from brownout.engine.wire.certificates import ALPN, ProxyTls, UpstreamTls
from tests.engine.peers import PATIENCE, echoing, soon

_CONNECTIONS = 5
_PARTS = ("brownout.engine.relay.", "brownout.engine.toxics.", "brownout.engine.wire.")
_STARTUP = struct.pack("!II", 17, 3 << 16) + b"user\0me\0\0"
_RST = struct.pack("ii", 1, 0)

TOXIC_SETS: dict[str, dict[str, dict[str, int]]] = {
    "none": {},
    "paced": {
        "slicer": {"average_size": 10, "size_variation": 5, "delay": 100},
        "latency": {"latency": 10_000},
    },
    "blocked": {"bandwidth": {"rate": 0}},
    "cut": {"limit_data": {"bytes": 20}},
    "reset": {"reset_peer": {"timeout": 5}},
    "late": {"slow_close": {"delay": 5}},
}


@pytest.fixture(autouse=True, scope="module")
def _only_what_is_new() -> Iterator[None]:
    """What was there before is left out of each look: all of pytest, and whatever it has loaded."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def parts() -> Iterator[str]:
    """The type of each thing of the data path that is alive."""
    for one in gc.get_objects():
        if str(type(one).__module__).startswith(_PARTS):
            yield type(one).__name__


def call(port: int, how: str, *, encrypted: bool) -> None:
    """Send something, wait for an answer, and leave: by RST, or else by FIN."""
    with contextlib.ExitStack() as stack:
        # Reset before the connect has returned, on a busy machine.
        stack.enter_context(contextlib.suppress(ConnectionResetError))
        near: socket.socket = stack.enter_context(
            socket.create_connection(("127.0.0.1", port), PATIENCE)
        )
        # Some toxics let nothing through, some end it before, and some servers have no TLS.
        with contextlib.suppress(OSError):
            if encrypted:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                context.set_alpn_protocols([ALPN])
                near = stack.enter_context(context.wrap_socket(near))
            near.sendall(_STARTUP + bytes(1000))
            near.settimeout(0.05)
            near.recv(1)
        if how == "rst":
            with contextlib.suppress(OSError):
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)


async def use(proxy: Proxy, port: int, how: str) -> None:
    """One connection from its beginning to its end: by FIN, by RST, or by the proxy's."""
    await asyncio.to_thread(call, port, how, encrypted=proxy.tls is not None)
    if how == "disabled":
        await proxy.disable()
        proxy.enable(())
    for toxic in list(proxy.toxics):  # one that holds back the end for ever, too
        await proxy.remove_toxic(toxic)
    assert await asyncio.to_thread(soon, lambda: not proxy.connections)


async def left_behind(
    how: str, toxics: dict[str, dict[str, int]], protocol: Protocol, tls: ProxyTls | None = None
) -> list[str]:
    """The types of what is still there after some connections."""
    loop = asyncio.get_running_loop()
    reactor = Reactor(loop, 1)
    with contextlib.ExitStack() as stack:
        stack.callback(reactor.close)
        address = stack.enter_context(echoing())
        proxy = Proxy(reactor, "p", "127.0.0.1:0", address, protocol=protocol, tls=tls)
        proxy.redirect(address, await resolve(loop, address))
        proxy.enable(await resolve(loop, "127.0.0.1:0"))
        port = int(proxy.listen.rpartition(":")[2])

        async def go() -> None:
            for kind, attributes in toxics.items():
                settings = TOXICS[kind](**attributes)
                await proxy.add_toxic(kind, kind, "upstream", 1.0, settings, Scope())
            await use(proxy, port, how)
            proxy.removed.clear()
            proxy.ended_connections.clear()

        await go()  # whatever is made once is made now
        before = Counter(parts())
        for _ in range(_CONNECTIONS):
            await go()
        left = Counter(parts()) - before
        await proxy.disable(keep_port=False)
    return sorted(left.elements())


@pytest.mark.parametrize("how", ["fin", "rst", "disabled"])
@pytest.mark.parametrize("toxics", TOXIC_SETS)
@pytest.mark.parametrize("protocol", Protocol)
def test_nothing_of_a_connection_is_left(how: str, toxics: str, protocol: Protocol) -> None:
    assert not asyncio.run(left_behind(how, TOXIC_SETS[toxics], protocol))


@pytest.mark.parametrize("how", ["fin", "rst", "disabled"])
@pytest.mark.parametrize("upstream", [UpstreamTls.DISABLE, UpstreamTls.REQUIRE])
def test_nothing_of_tls_is_left(how: str, upstream: UpstreamTls, tmp_path: Path) -> None:
    """Ended in front; or asked for behind, of an upstream that has none."""
    issued = trustme.CA().issue_cert("localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    both = str(tmp_path / "both.pem")
    tls = ProxyTls.read(both, both, upstream, "")
    assert not asyncio.run(left_behind(how, {}, Protocol.POSTGRESQL, tls))


def test_a_proxy_that_is_removed_forgets_what_was() -> None:
    async def forget() -> Proxy:
        loop = asyncio.get_running_loop()
        with contextlib.closing(Reactor(loop, 1)) as reactor, echoing() as address:
            proxies = Proxies(reactor)
            proxy = proxies.add(
                await resolve_wanted(
                    reactor, "p", "", address,
                    enabled=True, protocol=Protocol.PLAIN, when_down=WhenDown.ACCEPT, tls=None,
                )
            )  # fmt: skip
            await proxy.remove_toxic(
                await proxy.add_toxic("t", "noop", "upstream", 1.0, Noop(), Scope())
            )
            await use(proxy, int(proxy.listen.rpartition(":")[2]), "fin")
            assert (len(proxy.removed), len(proxy.ended_connections)) == (1, 1)
            await proxies.remove(proxy)
        return proxy

    proxy = asyncio.run(forget())
    assert not proxy.removed
    assert not proxy.ended_connections


def test_circles_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "_let_go", lambda _: None)
    left = asyncio.run(left_behind("fin", {}, Protocol.PLAIN))
    assert left.count("Connection") == _CONNECTIONS
