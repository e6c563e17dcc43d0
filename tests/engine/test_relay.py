"""The data path without a toxic: bytes, ends, refusals, and what is counted of them."""

import socket
import threading
from collections.abc import Callable

import psutil
import pytest

from brownout.control import Ended, EngineClient, EngineProcess, ProxyRecord, StreamDirection
from brownout.errors import ProxyError
from tests.engine.peers import Upstream, connect, ending, read, reset, soon

MAKE = Callable[..., ProxyRecord]


def ended(client: EngineClient, proxy: ProxyRecord, how: Ended) -> bool:
    return soon(lambda: client.counts(proxy.name).ended[how] == 1)


@pytest.mark.parametrize("protocol", ["plain", "postgresql"])
def test_bulk_arrives_whole_both_ways(
    make_proxy: MAKE, upstream: Upstream, client: EngineClient, protocol: str
) -> None:
    proxy = make_proxy(upstream.address, protocol=protocol)
    payload = bytes(range(256)) * 32768  # 8 MiB
    with connect(proxy) as near:
        far = upstream.accept()
        for source, target in ((near, far), (far, near)):
            sender = threading.Thread(target=source.sendall, args=(payload,))
            sender.start()
            assert read(target, len(payload)) == payload
            sender.join()
        counts = client.counts(proxy.name)
    for direction in StreamDirection:
        assert counts.bytes[direction].received == len(payload)
        assert counts.bytes[direction].sent == len(payload)


def test_a_stalled_reader_holds_the_sender_back(proxy: ProxyRecord, upstream: Upstream) -> None:
    with connect(proxy) as near:
        far = upstream.accept()
        far.setblocking(False)
        sent = 0
        payload = bytes(1 << 20)

        def stuck() -> bool:
            nonlocal sent
            before = sent
            try:
                while True:
                    sent += far.send(payload)
            except BlockingIOError:
                return sent == before

        assert soon(stuck)
        assert sent < 64 << 20  # what the kernel's buffers and one pipe take, not all memory
        assert len(read(near, sent)) == sent


def test_a_half_close_is_forwarded_and_the_other_way_stays_open(
    proxy: ProxyRecord, upstream: Upstream, client: EngineClient
) -> None:
    with connect(proxy) as near:
        far = upstream.accept()
        near.sendall(b"question")
        near.shutdown(socket.SHUT_WR)
        assert read(far, 100) == b"question"
        far.sendall(b"answer")
        assert read(near, 6) == b"answer"
        assert client.counts(proxy.name).open == 1
        far.close()
        assert ending(near) == "fin"
    assert ended(client, proxy, Ended.CLIENT_FIN)


def test_an_upstream_that_ends_is_an_end_by_the_upstream(
    proxy: ProxyRecord, upstream: Upstream, client: EngineClient
) -> None:
    with connect(proxy) as near:
        upstream.accept().close()
        assert ending(near) == "fin"
    assert ended(client, proxy, Ended.UPSTREAM_FIN)


def test_an_upstreams_reset_reaches_the_client_behind_its_last_words(
    proxy: ProxyRecord, upstream: Upstream, client: EngineClient
) -> None:
    with connect(proxy) as near:
        far = upstream.accept()
        far.sendall(b"last words")
        assert read(near, 10) == b"last words"
        reset(far)
        assert ending(near) == "rst"
    assert ended(client, proxy, Ended.UPSTREAM_RST)


def test_a_clients_reset_reaches_the_upstream(
    proxy: ProxyRecord, upstream: Upstream, client: EngineClient
) -> None:
    near = connect(proxy)
    far = upstream.accept()
    reset(near)
    assert ending(far) == "rst"
    assert ended(client, proxy, Ended.CLIENT_RST)


def test_a_reset_noticed_while_sending_is_forwarded_after_a_half_close(
    proxy: ProxyRecord, upstream: Upstream, client: EngineClient
) -> None:
    near = connect(proxy)
    far = upstream.accept()
    near.shutdown(socket.SHUT_WR)
    assert far.recv(1) == b""
    reset(near)

    def refused() -> bool:
        try:
            far.sendall(b"x" * 4096)
        except OSError:
            return True
        return False

    assert soon(refused)
    assert ended(client, proxy, Ended.CLIENT_RST)


def test_an_upstream_that_refuses_is_counted_and_closes_the_client(
    proxy: ProxyRecord, upstream: Upstream, client: EngineClient
) -> None:
    upstream.stop_listening()
    with connect(proxy) as near:
        assert ending(near) == "fin"
    counts = client.counts(proxy.name)
    assert (counts.dials_refused, counts.dials_failed, counts.open) == (1, 0, 0)
    assert counts.ended[Ended.DIAL_FAILED] == 1


@pytest.mark.parametrize(
    "upstream",
    [
        "no-port-in-here",
        "a..b:80",
        "x" * 64 + ":80",
        "zero\0byte:80",
        "half\ud800surrogate:80",
        "[fe80::1%absent]:80",
    ],
)
def test_an_upstream_that_cannot_be_found_is_a_failed_dial(
    make_proxy: MAKE, client: EngineClient, upstream: str
) -> None:
    proxy = make_proxy(upstream)
    with connect(proxy) as near:
        assert ending(near) == "fin"
    counts = client.counts(proxy.name)
    assert (counts.dials_failed, counts.open) == (1, 0)


@pytest.mark.parametrize("upstream", ["a..b:80", "127.0.0.1:1"])
def test_failed_dials_leave_no_descriptor(
    make_proxy: MAKE, engine: EngineProcess, upstream: str
) -> None:
    proxy, process = make_proxy(upstream), psutil.Process(engine.pid)
    before = process.num_fds()
    for _ in range(50):
        with connect(proxy) as near:
            assert ending(near) == "fin"
    assert soon(lambda: process.num_fds() <= before)


@pytest.mark.parametrize("host", ["a..b", "x" * 64])
def test_listening_on_an_impossible_name_is_refused_with_its_reason(
    client: EngineClient, host: str
) -> None:
    with pytest.raises(ProxyError, match="no such host"):
        client.create_proxy("impossible", "127.0.0.1:1", listen=f"{host}:0")
    assert "impossible" not in client.proxies()


def test_an_upstream_may_be_a_name(make_proxy: MAKE, upstream: Upstream) -> None:
    port = upstream.address.rpartition(":")[2]
    with connect(make_proxy(f"localhost:{port}")) as near:
        far = upstream.accept()
        near.sendall(b"by name")
        assert read(far, 7) == b"by name"


def test_disabling_ends_connections_with_fin_and_refuses_new_ones(
    proxy: ProxyRecord, upstream: Upstream, client: EngineClient
) -> None:
    with connect(proxy) as near:
        far = upstream.accept()
        near.sendall(b"never read")
        before = client.counts(proxy.name).refused_connects_on_host
        assert not client.set_enabled(proxy.name, False).enabled
        assert ending(near) == "fin"
        assert ending(far) == "fin"
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    counts = client.counts(proxy.name)
    assert counts.ended[Ended.DISABLED] == 1
    if before is not None and counts.refused_connects_on_host is not None:
        assert counts.refused_connects_on_host > before
    again = client.set_enabled(proxy.name, True)
    assert (again.enabled, again.listen) == (True, proxy.listen)
    connect(proxy).close()


def test_nobody_gets_the_port_of_a_disabled_proxy(proxy: ProxyRecord, client: EngineClient) -> None:
    client.set_enabled(proxy.name, False)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((proxy.host, proxy.port))


def test_another_upstream_closes_open_connections_and_takes_new_ones(
    proxy: ProxyRecord, upstream: Upstream, client: EngineClient
) -> None:
    other = Upstream()
    with connect(proxy) as near:
        upstream.accept()
        moved = client.set_upstream(proxy.name, other.address)
        assert (moved.upstream, moved.listen) == (other.address, proxy.listen)
        assert ending(near) == "fin"
    with connect(proxy) as near:
        near.sendall(b"hello")
        assert read(other.accept(), 5) == b"hello"
    other.close()


def test_a_move_to_an_address_that_is_taken_changes_nothing(
    proxy: ProxyRecord, upstream: Upstream, client: EngineClient, engine: EngineProcess
) -> None:
    with connect(proxy) as near:
        far = upstream.accept()
        with pytest.raises(ProxyError, match="address already in use"):
            client._post(f"/proxies/{proxy.name}", {"listen": engine.address})
        assert client.proxy(proxy.name) == proxy
        near.sendall(b"still there")
        assert read(far, 11) == b"still there"


def test_clients_of_a_silent_upstream_wait_for_nobody_else(
    proxy: ProxyRecord, upstream: Upstream, client: EngineClient
) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # once its queue is full, SYNs are swallowed
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        silent = f"127.0.0.1:{full.getsockname()[1]}"
        client.set_upstream(proxy.name, silent)
        with connect(proxy), connect(proxy):
            assert soon(lambda: client.counts(proxy.name).open == 2)
            client.set_upstream(proxy.name, upstream.address)
            with connect(proxy) as near:
                near.sendall(b"at once")
                assert read(upstream.accept(), 7) == b"at once"
        for filler in fillers:
            filler.close()


def test_connections_are_listed_with_peer_bytes_and_end(
    proxy: ProxyRecord, upstream: Upstream, client: EngineClient
) -> None:
    with connect(proxy) as first, connect(proxy) as second:
        first_far = upstream.accept()
        upstream.accept()
        first.sendall(b"12345")
        assert read(first_far, 5) == b"12345"
        client.add_toxic(proxy.name, "noop", stream="upstream")
        one, two = client.connections(proxy.name)
        assert [one.number, two.number] == [1, 2]
        assert one.peer == f"127.0.0.1:{first.getsockname()[1]}"
        assert (one.open, one.ended, one.toxics) == (True, None, ("noop_upstream",))
        assert (
            one.bytes[StreamDirection.UPSTREAM].sent,
            two.bytes[StreamDirection.UPSTREAM].sent,
        ) == (5, 0)
        assert one.age >= two.age >= 0
        second.shutdown(socket.SHUT_WR)
        first_far.close()
        assert ending(first) == "fin"
    assert soon(lambda: client.counts(proxy.name).open <= 1)
    last = {connection.number: connection for connection in client.connections(proxy.name)}
    assert (last[1].open, last[1].ended, last[1].toxics) == (False, Ended.UPSTREAM_FIN, ())
