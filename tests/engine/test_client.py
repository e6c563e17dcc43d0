"""The typed façade over toxiproxy-python: what that lacks is here."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest
from toxiproxy.api import APIConsumer

from brownout.control import EngineClient, EngineProcess, ProxyRecord, ToxiproxyClient
from brownout.errors import ProxyError


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_two_clients_on_two_servers_in_two_threads_never_mix(engine: EngineProcess) -> None:
    with EngineProcess.start() as other:

        def work(address: str, prefix: str) -> set[str]:
            client = ToxiproxyClient(address)
            for number in range(25):
                name = f"{prefix}-{number}"
                client.create_proxy(name, "127.0.0.1:1")
                assert client.proxy(name).name == name
                client.add_toxic(name, "noop")
            return {name for name in client.proxies() if name.startswith(prefix)}

        with ThreadPoolExecutor(2) as pool:
            here = pool.submit(work, engine.address, "here")
            there = pool.submit(work, other.address, "there")
            assert here.result() == {f"here-{number}" for number in range(25)}
            assert there.result() == {f"there-{number}" for number in range(25)}
        assert not [name for name in engine.client.proxies() if name.startswith("there")]
        for name in here.result():
            engine.client.delete_proxy(name)
    assert (APIConsumer.host, APIConsumer.port) == ("127.0.0.1", 8474)


def test_a_server_error_is_noticed() -> None:
    with answering(503, b"no") as address, pytest.raises(ProxyError, match="refused") as caught:
        ToxiproxyClient(address).proxies()
    assert "no" in str(caught.value)


def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = ToxiproxyClient(f"127.0.0.1:{silent.getsockname()[1]}", timeout=0.05)
        start = time.monotonic()
        with pytest.raises(ProxyError, match="does not answer"):
            client.version()
        assert time.monotonic() - start < 5


def test_nobody_there_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"127.0.0.1:{gone.getsockname()[1]}"
    with pytest.raises(ProxyError, match="does not answer") as caught:
        ToxiproxyClient(address).reset()
    assert f"POST http://{address}/reset" in caught.value.tried[0]


def test_an_environments_proxy_is_not_on_the_way(
    engine: EngineProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert engine.client.version() == "2.12.0"


def test_refusals_carry_the_servers_reason(client: EngineClient, proxy: ProxyRecord) -> None:
    with pytest.raises(ProxyError, match="proxy already exists"):
        client.create_proxy(proxy.name, proxy.upstream)
    with pytest.raises(ProxyError, match="toxic not found"):
        client.remove_toxic(proxy.name, "none")
    with pytest.raises(ProxyError, match="proxy not found"):
        client.proxy("none")
    with pytest.raises(ProxyError, match="rate must be"):
        client.add_toxic(proxy.name, "bandwidth", {"rate": -1})
    with pytest.raises(ProxyError, match="never had a toxic"):
        client.proof(proxy.name, "none")


def test_no_call_leaves_its_connection_open(client: EngineClient, proxy: ProxyRecord) -> None:
    """Neither here nor, until the server's patience ends, at the server."""
    client.version()
    with pytest.raises(ProxyError, match="toxic not found") as refused:
        client.remove_toxic(proxy.name, "none")
    port = int(client.address.rpartition(":")[2])
    mine = psutil.Process().net_connections("tcp")
    assert not [one for one in mine if one.raddr and one.raddr.port == port], refused


def test_records_hold_what_the_server_said(client: EngineClient, proxy: ProxyRecord) -> None:
    added = client.add_toxic(proxy.name, "latency", {"latency": 7}, toxicity=0.5)
    assert added.attributes == {"latency": 7, "jitter": 0}
    assert client.proxy(proxy.name).toxics == (added,)
    changed = client.update_toxic(proxy.name, added.name, {"jitter": 3})
    assert (changed.attributes, changed.toxicity) == ({"latency": 7, "jitter": 3}, 0.5)
    assert client.proxies()[proxy.name].toxics == (changed,)


def test_names_need_no_care(
    make_proxy: Callable[..., ProxyRecord], client: EngineClient, proxy: ProxyRecord
) -> None:
    assert make_proxy("127.0.0.1:1").enabled
    client.add_toxic(proxy.name, "noop", name="ünï code?&%")
    client.remove_toxic(proxy.name, "ünï code?&%")
