"""One engine in the foreground for all fuzzers, and what it holds before and after."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
import psutil
import pytest

from tests.engine.foreground import serving
from tests.engine.fuzz.effort import LONG
from tests.engine.peers import soon

_GROWTH = 64 << 20  # bytes: the memory for statements and what the allocator keeps, not a leak
_TURN = 0.25  # seconds of CPU for which one call may hold the loop; see test_hostile_calls


@dataclass(frozen=True)
class Held:
    """What the engine holds, and how long it was held up so far."""

    memory: int
    descriptors: int
    connections: int
    call: float
    turns: dict[str, float]


@dataclass
class Target:
    """The engine; `tried` counts the inputs by kind."""

    api: httpx.Client
    process: psutil.Process
    tried: dict[str, int] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """The API's port."""
        assert self.api.base_url.port is not None
        return self.api.base_url.port

    def count(self, kind: str, number: int = 1) -> None:
        """Note that inputs were tried."""
        self.tried[kind] = self.tried.get(kind, 0) + number

    def alive(self) -> None:
        """Check that it still answers."""
        assert self.api.get("/version").status_code == 200

    def clear(self) -> None:
        """Remove every proxy."""
        for name in self.api.get("/proxies").json():
            answer = self.api.delete(f"/proxies/{quote(name, safe='')}")
            assert answer.status_code == 204, name

    def held(self) -> Held:
        """What it holds now."""
        text = self.api.get("/metrics").text
        turns = re.findall(
            r'^brownout_longest_turn_seconds\{by="(\w+)"\} (\S+)', text, re.MULTILINE
        )
        call = re.search(r"^brownout_longest_call_cpu_seconds (\S+)", text, re.MULTILINE)
        assert call is not None
        return Held(
            self.process.memory_full_info().uss,
            self.process.num_fds(),
            len(self.process.net_connections("tcp")),
            float(call[1]),
            {name: float(value) for name, value in turns},
        )


@pytest.fixture(scope="session")
def target() -> Iterator[Target]:
    """The engine that is attacked; at the end it must hold no more than before."""
    with serving("-runtime-metrics", environment={"LOG_LEVEL": "disabled"}) as (api, process):
        api.timeout = httpx.Timeout(30)
        one = Target(api, psutil.Process(process.pid))
        before = one.held()
        yield one
        one.alive()
        one.clear()
        assert soon(lambda: one.held().descriptors <= before.descriptors + 1)
        after = one.held()
        if LONG:
            sys.stderr.write(f"\ntried {one.tried}\nbefore {before}\nafter  {after}\n")
        assert after.memory - before.memory < _GROWTH
        assert after.call < _TURN
        assert process.poll() is None
