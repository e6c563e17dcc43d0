"""Random calls and connections, made of both servers in step: they do the same at every step.

What differs on purpose (docs/reference/proxy.md) is left out: numbers out of range, connections
that were open when a toxic that ends them was added, and half-closed ones.
"""

import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.engine.conformance.servers import engine, original, require_original
from tests.engine.fuzz.effort import LONG, TIMES
from tests.engine.peers import PATIENCE, echoing, ending

_NAMES = st.sampled_from(["a", "b"])
_TOXICS = st.sampled_from(["t", "u", "", None])
_STREAMS = st.sampled_from(["upstream", "downstream", "UpStream", "sideways", "", None])
_SIZES = st.integers(1, 2000)
_PASSING: dict[str, dict[str, int]] = {
    "latency": {"latency": 1},
    "bandwidth": {"rate": 100_000},
    "slicer": {"average_size": 64, "size_variation": 8, "delay": 0},
    "slow_close": {"delay": 1},
    "noop": {},
}
_ENDING: dict[str, dict[str, int]] = {"limit_data": {"bytes": 3}, "reset_peer": {"timeout": 0}}
_ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, [], 7, "x", {}, {"type": "none"}, {"type": 7}, {"attributes": 7}, {"toxicity": "much"},
     {"attributes": {"latency": "x"}}, {"name": 7}, {"upstream": "127.0.0.1:1"}, {"enabled": "yes"},
     {"name": "a", "upstream": ""}, {"name": "", "upstream": "127.0.0.1:1"}]
)  # fmt: skip
_PATHS = st.sampled_from(
    ["/", "/version", "/proxies", "/proxies/a", "/proxies/a/toxics", "/proxies/a/toxics/t",
     "/reset", "/populate", "/proxies/b/toxics/none", "/none", "/proxies/a/none"]
)  # fmt: skip
_METHODS = st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"])
_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")


class _Server:
    """One of the two."""

    def __init__(self, address: str) -> None:
        self.api = httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=PATIENCE)
        self.open: dict[str, list[socket.socket]] = {}

    def call(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """The status, and the body without what has to differ: ports, and words about bad JSON."""
        answer = self.api.request(method, path, json=body)
        try:
            content = answer.json()
        except ValueError:
            return answer.status_code, answer.text
        return answer.status_code, _comparable(content)

    def port(self, name: str) -> int | None:
        """Where a proxy listens, if it does."""
        answer = self.api.get(f"/proxies/{name}").json()
        return int(answer["listen"].rpartition(":")[2]) if answer.get("enabled") else None

    def connect(self, name: str) -> socket.socket | None:
        """A new connection through a proxy; None: refused."""
        port = self.port(name)
        if port is None:
            return None
        return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)

    def close(self) -> None:
        """Delete the proxies and close the connections."""
        for name in self.api.get("/proxies").json():
            self.api.delete(f"/proxies/{name}")
        for one in (one for every in self.open.values() for one in every):
            one.close()
        self.api.close()


def _comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "bad request body" if name == "error" and _is_bad(inner) else _comparable(inner)
            for name, inner in value.items()
            if name != "Logger"
        }
    if isinstance(value, list):
        return [_comparable(inner) for inner in value]
    return _ADDRESS.sub("<address>", value) if isinstance(value, str) else value


def _is_bad(error: Any) -> bool:
    return str(error).startswith("bad request body")


class InStep(RuleBasedStateMachine):
    """Two servers; `ending` are the proxies with a toxic that ends connections."""

    addresses: tuple[str, str]
    upstream = ""

    def __init__(self) -> None:
        super().__init__()
        self.servers = tuple(map(_Server, self.addresses))
        self.toxics: set[str] = set()

    def teardown(self) -> None:
        for server in self.servers:
            server.close()

    def both(self, method: str, path: str, body: Any = None) -> int:
        ours, theirs = (server.call(method, path, body) for server in self.servers)
        assert ours == theirs, (method, path, body)
        return ours[0]

    def forget(self, name: str, seen: str | None) -> None:
        """The connections of a proxy end as `seen` at both; None: the test does not look."""
        for server in self.servers:
            for one in server.open.pop(name, []):
                with one:
                    assert seen is None or ending(one) == seen

    # -- calls -------------------------------------------------------------------------------

    @rule(name=_NAMES, enabled=st.booleans())
    def create(self, name: str, enabled: bool) -> None:
        listen = {"listen": "127.0.0.1:0", "upstream": self.upstream, "enabled": enabled}
        self.both("POST", "/proxies", {"name": name, **listen})

    @rule(name=_NAMES)
    def delete(self, name: str) -> None:
        ends = name not in self.toxics
        self.both("DELETE", f"/proxies/{name}")
        self.forget(name, "fin" if ends else None)
        self.toxics.discard(name)

    @rule(name=_NAMES, enabled=st.booleans())
    def enable(self, name: str, enabled: bool) -> None:
        self.both("PATCH", f"/proxies/{name}", {"enabled": enabled})
        if not enabled:
            self.forget(name, None if name in self.toxics else "fin")

    @rule()
    def reset(self) -> None:
        self.both("POST", "/reset")
        for name in list(self.toxics):
            self.forget(name, None)
        self.toxics.clear()

    @rule(
        name=_NAMES, toxic=_TOXICS, stream=_STREAMS, toxicity=st.sampled_from([None, 0, 1, 1.0]),
        kind=st.sampled_from([*_PASSING, *_ENDING]),
    )  # fmt: skip
    def add(self, name: str, toxic: Any, stream: Any, toxicity: Any, kind: str) -> None:
        body = {"attributes": _PASSING.get(kind) or _ENDING.get(kind, {}), "type": kind}
        given = {"name": toxic, "stream": stream, "toxicity": toxicity}
        body |= {field: value for field, value in given.items() if value is not None}
        status = self.both("POST", f"/proxies/{name}/toxics", body)
        if status == 200 and kind in _ENDING:
            self.toxics.add(name)
            self.forget(name, None)

    @rule(name=_NAMES, toxic=st.sampled_from(["t", "u", "latency_downstream"]))
    def change(self, name: str, toxic: str) -> None:
        self.both("PATCH", f"/proxies/{name}/toxics/{toxic}", {"toxicity": 1})

    @rule(name=_NAMES, toxic=st.sampled_from(["t", "u", "noop_upstream", "latency_downstream"]))
    def remove(self, name: str, toxic: str) -> None:
        self.both("DELETE", f"/proxies/{name}/toxics/{toxic}")

    @rule(method=_METHODS, path=_PATHS, body=_ODD)
    def odd(self, method: str, path: str, body: Any) -> None:
        if method == "DELETE" or (path == "/reset" and method == "POST"):
            return  # they have rules of their own, which know what ends
        if path == "/proxies/a" and method in ("POST", "PATCH"):
            self.forget("a", None)  # another upstream ends them
        self.both(method, path, body)

    # -- connections -------------------------------------------------------------------------

    @precondition(lambda self: len(self.toxics) < 2)
    @rule(name=_NAMES)
    def connect(self, name: str) -> None:
        if name in self.toxics:
            return
        for server in self.servers:
            one = server.connect(name)
            if one is not None:
                server.open.setdefault(name, []).append(one)
        self.same_connections()

    @rule(name=_NAMES, size=_SIZES)
    def talk(self, name: str, size: int) -> None:
        came = []
        for server in self.servers:
            for one in server.open.get(name, []):
                one.sendall(bytes(size))
                came.append(_received(one, size))
        assert came == [came[0]] * len(came) if came else True

    @invariant()
    def same_proxies(self) -> None:
        self.both("GET", "/proxies")

    @invariant()
    def same_connections(self) -> None:
        ours, theirs = ({name: len(each) for name, each in s.open.items()} for s in self.servers)
        assert ours == theirs


def _received(connection: socket.socket, size: int) -> int:
    got = 0
    while got < size and (part := connection.recv(size - got)):
        got += len(part)
    return got


@pytest.fixture(autouse=True, scope="module")
def served() -> Iterator[None]:
    """Both servers, and one upstream, for all runs."""
    require_original()
    with engine() as ours, original() as theirs, echoing() as InStep.upstream:
        InStep.addresses = (ours, theirs)
        yield


TestInStep: Callable[..., Any] = InStep.TestCase
TestInStep.settings = settings(  # type: ignore[attr-defined]
    max_examples=10 * TIMES,
    stateful_step_count=40,
    derandomize=not LONG,
    database=None,
    deadline=None,
)
