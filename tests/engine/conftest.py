"""One engine for all tests of it; each test has a proxy of its own."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest
import uvloop

from brownout.control import EngineClient, EngineProcess, ProxyRecord
from tests.engine.peers import Upstream

_serial = count(1)


@pytest.fixture(params=[uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    """The engine's loop, and the one that it falls back on."""
    make: Callable[[], asyncio.AbstractEventLoop] = request.param
    loop = make()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[EngineProcess]:
    with EngineProcess.start() as process:
        yield process


@pytest.fixture
def client(engine: EngineProcess) -> EngineClient:
    return engine.client


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    one = Upstream()
    yield one
    one.close()


@pytest.fixture
def make_proxy(client: EngineClient) -> Iterator[Callable[..., ProxyRecord]]:
    """Makes proxies that are gone after the test."""
    with ExitStack() as stack:

        def make(to: str, **fields: object) -> ProxyRecord:
            name = f"proxy-{next(_serial)}"
            proxy = client.create_proxy(name, to, **fields)  # type: ignore[arg-type]
            stack.callback(client.delete_proxy, name)
            return proxy

        yield make


@pytest.fixture
def proxy(make_proxy: Callable[..., ProxyRecord], upstream: Upstream) -> ProxyRecord:
    return make_proxy(upstream.address)
