"""Open and close connections at random under changing toxics: `python -m benchmarks.soak`.

Afterwards the engine must hold no more descriptors, tasks or memory than before, and during the run
it must answer its control API at once. Exits with 1 otherwise. Linux only, because it reads /proc.
"""

import argparse
import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.servers import peer, proxy_server
from benchmarks.soak_held import Held, grown
from brownout.control import EngineClient
from brownout.errors import ProxyError

__all__ = ["ENGINE", "Call", "Outcome", "main", "soak"]

ENGINE = "import sys; from brownout.cli import main; sys.exit(main())"

_ROUNDS = 3
_TOXICS: tuple[tuple[str, dict[str, int]], ...] = (
    ("latency", {"latency": 20, "jitter": 20}),
    ("bandwidth", {"rate": 50}),
    ("slicer", {"average_size": 100, "size_variation": 50, "delay": 100}),
    ("slow_close", {"delay": 100}),
    ("timeout", {"timeout": 50}),
    ("reset_peer", {"timeout": 10}),
    ("limit_data", {"bytes": 1000}),
    ("noop", {}),
)
_ENDING = {"timeout", "reset_peer", "limit_data"}  # on every connection, they would end most
_FEW = 0.05
_START = 15.0  # seconds for half of the connections to open
_SETTLE = 20.0  # seconds for everything that was closed to disappear
_LOOK = 20  # calls between two counts of the open connections
_AT_ONCE = 0.4  # seconds that the engine may work before it answers a call


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the control API under load, in seconds: how long it `took`, how long the engine
    `worked` meanwhile (on this call and on everything else), and `waited` for a CPU."""

    took: float
    worked: float
    waited: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many connections were `wanted` at once, how many there were in total and `at_once` at
    most; the `calls` during the run; what the engine held when `fresh`, and after each of the
    `rounds`, the first of which is the warm-up; how many connections stayed `open` after they had
    been closed."""

    wanted: int
    connections: int
    at_once: int
    calls: Sequence[Call]
    fresh: Held
    rounds: Sequence[Held]
    open: int

    @property
    def findings(self) -> list[str]:
        """Describe each defect that the run found."""
        found = grown(self.fresh, self.rounds)
        if self.open:
            found.append(f"{self.open} connections are still open")
        if self.at_once < self.wanted / 2 or not self.calls:
            found.append(
                f"the run did too little to show anything: {len(self.calls)} calls, "
                f"{self.at_once} connections at once"
            )
        # Judge the work only: on a busy machine a call also waits for others.
        worked = max((call.worked for call in self.calls), default=0.0)
        if worked > _AT_ONCE:
            found.append(f"the engine worked for {worked * 1e3:.0f} ms before it answered a call")
        return found


class _Soak:
    def __init__(self, api: str, pid: int, upstream: str, connections: int) -> None:
        self._api = api
        self._client = EngineClient(api, timeout=30)
        self._process = psutil.Process(pid)
        self._schedule = Path(f"/proc/{pid}/schedstat")
        self._upstream = upstream
        self._connections = connections
        self.opened = 0
        self.at_once = 0
        self.open = 0
        self.calls: list[Call] = []
        # The first call of each kind allocates what all later ones use.
        self._client.create_proxy("soak", upstream)
        self._client.counts("soak")
        self._client.delete_proxy("soak")
        Held.by(self._process, api)
        self.fresh = Held.by(self._process, api)

    def round(self, seconds: float, seed: int) -> Held:
        """Load the engine for `seconds`; return what it holds once all connections have ended."""
        client = self._client
        proxy = client.create_proxy("soak", self._upstream)
        with _loaded(proxy.port, self._connections, seed):
            self._wait_for_half()
            draws = random.Random(seed)  # noqa: S311 (has to be repeatable)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                begin, (worked, waited) = time.monotonic(), self._scheduled()
                _change(client, draws)
                took, (worked_then, waited_then) = time.monotonic() - begin, self._scheduled()
                self.calls.append(Call(took, worked_then - worked, waited_then - waited))
                if len(self.calls) % _LOOK == 0:
                    self.at_once = max(self.at_once, client.counts("soak").open)
        client.reset()
        deadline = time.monotonic() + _SETTLE
        while client.counts("soak").open and time.monotonic() < deadline:
            time.sleep(0.05)
        counts = client.counts("soak")
        self.opened += counts.opened
        self.open = max(self.open, counts.open)
        # Deleting the proxy drops its history, which is not a leak.
        client.delete_proxy("soak")
        held = Held.by(self._process, self._api)
        while held.exceeds(self.fresh) and time.monotonic() < deadline:
            time.sleep(0.05)
            held = Held.by(self._process, self._api)
        return held

    def _wait_for_half(self) -> None:
        """Wait until half of the connections are open, which takes a while on a busy machine."""
        deadline = time.monotonic() + _START
        while (there := self._client.counts("soak").open) < self._connections / 2:
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        self.at_once = max(self.at_once, there)

    def _scheduled(self) -> tuple[float, float]:
        """Seconds that the engine's thread has run on a CPU and waited for one (sched-stats)."""
        worked, waited, _ = self._schedule.read_text().split()
        return int(worked) / 1e9, int(waited) / 1e9


@contextlib.contextmanager
def _loaded(port: int, connections: int, seed: int) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.soak_load", *map(str, (port, connections, seed))],
        stdin=subprocess.PIPE,
    ) as load:
        try:
            yield
        finally:
            if load.stdin is not None:
                load.stdin.close()
            load.wait()


def _change(client: EngineClient, draws: random.Random) -> None:
    kind, attributes = draws.choice(_TOXICS)
    name = f"t{draws.randrange(6)}"
    stream = draws.choice(["upstream", "downstream"])
    toxicity = _FEW if kind in _ENDING else draws.choice([0.1, 0.5, 1.0])
    with contextlib.suppress(ProxyError):  # the name is taken, or does not exist
        if draws.randrange(2):
            client.add_toxic("soak", kind, attributes, stream=stream, name=name, toxicity=toxicity)
        else:
            client.remove_toxic("soak", name)


def soak(*, connections: int, seconds: float, program: str = ENGINE) -> Outcome:
    """Soak the engine that `program` runs, in rounds that take `seconds` in total.

    An extra round comes first, to allocate what the busiest moment needs.
    """
    engine = [sys.executable, "-c", program, "proxy", "-runtime-metrics"]
    with peer() as upstream, proxy_server(engine) as (api, pid):
        one = _Soak(api, pid, upstream, connections)
        rounds = [one.round(seconds / _ROUNDS, seed) for seed in range(_ROUNDS + 1)]
    return Outcome(connections, one.opened, one.at_once, one.calls, one.fresh, rounds, one.open)


def main() -> int:
    """Soak and print what was found; return 0 if nothing was."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--connections", type=int, default=2000, help="connections at a time")
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    outcome = soak(connections=options.connections, seconds=options.seconds)
    print(f"{outcome.connections} connections, {outcome.at_once} at once")
    print(f"{len(outcome.calls)} calls of the API, ms:")
    for what in ("took", "worked", "waited"):
        times = sorted(getattr(call, what) * 1e3 for call in outcome.calls) or [0.0]
        middle, most = times[len(times) // 2], times[int(len(times) * 0.99)]
        print(f"  {what:6} {middle:6.1f}, 99 of 100 {most:6.1f}, at most {times[-1]:6.1f}")
    names = ["fresh", "warm", *["after"] * _ROUNDS]
    for name, held in zip(names, (outcome.fresh, *outcome.rounds), strict=True):
        print(f"{name}: {held}")
    for finding in outcome.findings:
        print(f"FOUND: {finding}")
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
