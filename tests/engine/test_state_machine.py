"""Any sequence of calls, with connections open: the engine and a model of it never disagree."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from brownout.control import EngineProcess
from tests.engine.peers import echoing, ending, read

NAMES = st.sampled_from(["a", "b", "c"])
TOXICS = st.sampled_from(["t", "u", "v"])
STREAMS = st.sampled_from(["upstream", "downstream"])
PASSING: dict[str, dict[str, int]] = {
    "latency": {"latency": 2, "jitter": 1},
    "bandwidth": {"rate": 100_000},
    "slicer": {"average_size": 8, "size_variation": 2, "delay": 0},
    "slow_close": {"delay": 2},
    "noop": {},
}
ENDING: dict[str, dict[str, int]] = {
    "timeout": {"timeout": 0},
    "reset_peer": {"timeout": 0},
    "limit_data": {"bytes": 3},
}
LIMIT = 3.0  # seconds that no call takes, whatever else goes on; about 1 ms is usual


class Engine(RuleBasedStateMachine):
    """The model: proxies with their toxics, and which connections must still be good."""

    address = ""
    upstream = ""

    def __init__(self) -> None:
        super().__init__()
        self.api = httpx.Client(base_url=f"http://{self.address}", trust_env=False, timeout=LIMIT)
        self.proxies: dict[str, dict[str, Any]] = {}
        self.good: dict[str, list[socket.socket]] = {}
        self.ended: list[socket.socket] = []
        self.unknown: list[socket.socket] = []

    def teardown(self) -> None:
        for one in (
            *self.ended,
            *self.unknown,
            *(c for every in self.good.values() for c in every),
        ):
            one.close()
        for name in self.proxies:
            self.api.delete(f"/proxies/{name}")
        self.api.close()

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        start = time.monotonic()
        response = self.api.request(method, path, json=body)
        assert time.monotonic() - start < LIMIT
        return response

    def closed(self, name: str) -> None:
        """The connections of a proxy end, with FIN."""
        self.ended += self.good.pop(name, [])

    def spoiled(self, name: str) -> None:
        """A toxic may end the connections of a proxy, now or at their next byte."""
        self.unknown += self.good.pop(name, [])

    # -- proxies -----------------------------------------------------------------------------

    @rule(name=NAMES, enabled=st.booleans())
    def create(self, name: str, enabled: bool) -> None:
        body = {"name": name, "listen": "127.0.0.1:0", "upstream": self.upstream}
        response = self.call("POST", "/proxies", {**body, "enabled": enabled})
        if name in self.proxies:
            assert response.status_code == 409
        else:
            assert response.status_code == 201
            self.proxies[name] = response.json()

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        known = self.proxies.pop(name, None) is not None
        assert self.call("DELETE", f"/proxies/{name}").status_code == (204 if known else 404)
        self.closed(name)

    @rule(name=NAMES, enabled=st.booleans())
    def enable(self, name: str, enabled: bool) -> None:
        response = self.call("PATCH", f"/proxies/{name}", {"enabled": enabled})
        if name not in self.proxies:
            assert response.status_code == 404
            return
        assert response.status_code == 200
        self.proxies[name] |= {"enabled": enabled, "listen": response.json()["listen"]}
        if not enabled:
            self.closed(name)

    @rule(name=NAMES)
    def move(self, name: str) -> None:
        if name in self.proxies:
            response = self.call("PATCH", f"/proxies/{name}", {"listen": "127.0.0.1:0"})
            self.proxies[name]["listen"] = response.json()["listen"]
            self.closed(name)

    @rule()
    def reset(self) -> None:
        assert self.call("POST", "/reset").status_code == 204
        listens = self.call("GET", "/proxies").json()
        for name, proxy in self.proxies.items():
            if any(toxic["type"] == "timeout" for toxic in proxy["toxics"]):
                self.spoiled(name)
            proxy |= {"enabled": True, "toxics": [], "listen": listens[name]["listen"]}

    @rule(name=NAMES)
    def populate(self, name: str) -> None:
        old = self.proxies.get(name)
        listen = old["listen"] if old is not None else "127.0.0.1:0"
        body = [{"name": name, "listen": listen, "upstream": self.upstream}]
        response = self.call("POST", "/populate", body)
        assert response.status_code == 201
        if old is None or listen.endswith(":0"):  # port 0 always counts as changed
            self.closed(name)
            (self.proxies[name],) = response.json()["proxies"]

    # -- toxics ------------------------------------------------------------------------------

    @rule(name=NAMES, toxic=TOXICS, stream=STREAMS, kind=st.sampled_from([*PASSING, *ENDING]))
    def add(self, name: str, toxic: str, stream: str, kind: str) -> None:
        body = {
            "attributes": PASSING.get(kind) or ENDING.get(kind, {}),
            "name": toxic,
            "type": kind,
            "stream": stream,
            "toxicity": 1.0,
        }
        response = self.call("POST", f"/proxies/{name}/toxics", body)
        if name not in self.proxies:
            assert response.status_code == 404
            return
        toxics = self.proxies[name]["toxics"]
        if any(one["name"] == toxic for one in toxics):
            assert response.status_code == 409
            return
        assert response.status_code == 200
        toxics.append(body)
        toxics.sort(key=lambda one: one["stream"] == "downstream")
        if kind in ENDING:
            self.spoiled(name)

    @rule(
        name=NAMES, toxic=TOXICS, body=st.sampled_from([{}, {"toxicity": 1.0}, {"attributes": {}}])
    )
    def update(self, name: str, toxic: str, body: Any) -> None:
        response = self.call("PATCH", f"/proxies/{name}/toxics/{toxic}", body)
        assert response.status_code == (200 if self.has(name, toxic) else 404)

    @rule(name=NAMES, toxic=TOXICS)
    def remove(self, name: str, toxic: str) -> None:
        known = self.has(name, toxic)
        response = self.call("DELETE", f"/proxies/{name}/toxics/{toxic}")
        assert response.status_code == (204 if known else 404)
        if known:
            toxics = self.proxies[name]["toxics"]
            toxics[:] = [one for one in toxics if one["name"] != toxic]

    @rule(
        name=NAMES, body=st.sampled_from([[], 7, {"type": "bandwidth", "attributes": {"rate": -1}}])
    )
    def refuse(self, name: str, body: Any) -> None:
        known = name in self.proxies
        response = self.call("POST", f"/proxies/{name}/toxics", body)
        assert response.status_code == (400 if known else 404)

    def has(self, name: str, toxic: str) -> bool:
        toxics = self.proxies.get(name, {}).get("toxics", [])
        return any(one["name"] == toxic for one in toxics)

    # -- connections -------------------------------------------------------------------------

    @rule(name=NAMES)
    def connect(self, name: str) -> None:
        proxy = self.proxies.get(name)
        if proxy is None:
            return
        port = int(proxy["listen"].rpartition(":")[2])
        try:
            one = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        except OSError:
            resets = any(toxic["type"] == "reset_peer" for toxic in proxy["toxics"])
            assert not proxy["enabled"] or resets
            return
        assert proxy["enabled"]
        ends = any(toxic["type"] in ENDING for toxic in proxy["toxics"])
        (self.unknown if ends else self.good.setdefault(name, [])).append(one)

    @precondition(lambda self: any(self.good.values()))
    @rule(size=st.integers(1, 3000), pick=st.integers(0))
    def talk(self, size: int, pick: int) -> None:
        every = [one for connections in self.good.values() for one in connections]
        one = every[pick % len(every)]
        one.sendall(bytes(size))
        assert len(read(one, size)) == size

    @precondition(lambda self: self.ended)
    @rule()
    def see_the_end(self) -> None:
        with self.ended.pop() as one:
            assert ending(one) == "fin"

    # -- the model ---------------------------------------------------------------------------

    @invariant()
    def they_agree(self) -> None:
        assert self.call("GET", "/proxies").json() == self.proxies


@pytest.fixture(autouse=True, scope="module")
def served(engine: EngineProcess) -> Iterator[None]:
    """One engine and one upstream for all runs."""
    assert not engine.client.proxies()
    with echoing() as Engine.upstream:
        Engine.address = engine.address
        yield


TestEngine: Callable[..., Any] = Engine.TestCase
TestEngine.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)  # type: ignore[attr-defined]
