"""Compare the engine with the real Toxiproxy and with no proxy: `python -m benchmarks.proxy`.

Both proxies are measured in turn, round after round, so a busy moment of the machine affects them
alike, and the median of the ratios is judged. Writes brownout-report/bench-proxy.json and exits
with 1 if a floor is missed.
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import asyncpg

from benchmarks.contenders import Contender, contenders
from benchmarks.database import database, through
from benchmarks.figures import Better, Figure, compared, judged, report
from benchmarks.loads import bulk, connect_rate, connections, percentile, rate_and_gap, round_trips
from benchmarks.servers import peer
from brownout.login import Login

__all__ = ["main"]

_REPORT = Path("brownout-report/bench-proxy.json")
_BULK_SECONDS = 0.5
_IDLE = 1000
_POOL = 10  # connections that are open while toxics are added and removed


class Rounds:
    """The two proxies, and every figure measured so far."""

    def __init__(self, ours: Contender, theirs: Contender, rounds: int, upstream: str) -> None:
        self._pair = (ours, theirs)
        self._rounds = rounds
        self._upstream = upstream
        self.figures: list[Figure] = []

    def each(self, measure: Callable[[Contender], float]) -> tuple[list[float], list[float]]:
        """Measure both proxies in every round, and swap their order after each."""
        values: tuple[list[float], list[float]] = ([], [])
        for number in range(self._rounds):
            for place in (0, 1) if number % 2 else (1, 0):
                values[place].append(measure(self._pair[place]))
        return values

    def compare(
        self,
        figure: str,
        unit: str,
        floor: float,
        better: Better,
        measure: Callable[[Contender], float],
    ) -> None:
        """Add a figure that is judged by its ratio to Toxiproxy's."""
        ours, theirs = self.each(measure)
        self.figures.append(compared(figure, unit, ours, theirs, floor, better))
        self._say(self.figures[-1])

    def judge(self, figure: str, unit: str, floor: float, values: list[float]) -> None:
        """Add a figure that is judged by itself; less is better."""
        self.figures.append(judged(figure, unit, values, floor, Better.LESS))
        self._say(self.figures[-1])

    @contextlib.contextmanager
    def with_toxic(self, one: Contender, kind: str, **attributes: int) -> Iterator[int]:
        """Create a proxy with a toxic and yield its port.

        Each toxic gets a new proxy, because removing a toxic sometimes hangs Toxiproxy.
        """
        client = one.client
        if client is None:
            raise ValueError(f"{one.name} takes no toxics")
        name = f"{kind}-{time.monotonic_ns()}"
        proxy = client.create_proxy(name, self._upstream)
        client.add_toxic(name, kind, attributes)
        try:
            yield proxy.port
        finally:
            client.delete_proxy(name)

    @property
    def ours(self) -> Contender:
        """The engine."""
        return self._pair[0]

    @property
    def theirs(self) -> Contender:
        """The real Toxiproxy."""
        return self._pair[1]

    @property
    def rounds(self) -> int:
        """The number of rounds."""
        return self._rounds

    @staticmethod
    def _say(figure: Figure) -> None:
        print(f"  {figure.figure}: {figure.ratio:.3f}", file=sys.stderr, flush=True)


def measure_bulk(rounds: Rounds) -> None:
    """Measure bytes per second with and without a toxic, and their CPU time."""
    costs: dict[str, list[float]] = {}

    def with_cost(one: Contender, count: int) -> float:
        before = one.cpu()
        rate, total = bulk(one.port, count, _BULK_SECONDS)
        if count == 10:
            costs.setdefault(one.name, []).append((one.cpu() - before) / (total / 1e9))
        return rate / 1e9

    for count in (1, 10, 50):
        rounds.compare(
            f"bulk, {count} connections", "GB/s", 1.7, Better.MORE,
            partial(with_cost, count=count),
        )  # fmt: skip
    floor = 0.4
    rounds.figures.append(
        compared("CPU for bulk", "s/GB", costs["ours"], costs["toxiproxy"], floor, Better.LESS)
    )

    def toxic(one: Contender) -> float:
        with rounds.with_toxic(one, "latency", latency=0) as port:
            return bulk(port, 10, _BULK_SECONDS)[0] / 1e9

    rounds.compare("bulk under a toxic, 10 connections", "GB/s", 1.3, Better.MORE, toxic)


def measure_round_trips(rounds: Rounds) -> None:
    """Measure round trips of small messages, p50 and p99."""
    taken: dict[str, list[list[float]]] = {"ours": [], "toxiproxy": []}

    def both(one: Contender) -> float:
        times = round_trips(one.port, 4000)
        taken[one.name].append(times)
        return percentile(times, 0.5) * 1e6

    rounds.compare("round trip of 64 B, p50", "µs", 0.75, Better.LESS, both)
    slow = {
        name: [percentile(times, 0.99) * 1e6 for times in every] for name, every in taken.items()
    }
    rounds.figures.append(
        compared("round trip of 64 B, p99", "µs", slow["ours"], slow["toxiproxy"], 1.0, Better.LESS)
    )


def measure_connections(rounds: Rounds) -> None:
    """Measure new connections per second, and the memory of idle ones."""
    rounds.compare(
        "connections per second, 16 clients", "1/s", 1.2, Better.MORE,
        lambda one: connect_rate(one.port, 16, 1.0),
    )  # fmt: skip

    def idle(one: Contender) -> float:
        before = one.memory()
        with connections(one.port, _IDLE, b"e") as opened:
            for connection in opened:
                connection.sendall(b"x")
                connection.recv(1)
            return (one.memory() - before) / 1e6

    # Measured once, because both proxies reuse the memory of the first thousand.
    ours, theirs = ([idle(one)] for one in (rounds.ours, rounds.theirs))
    rounds.figures.append(
        compared("memory of 1,000 idle connections", "MB", ours, theirs, 0.05, Better.LESS)
    )


def measure_latency(rounds: Rounds) -> None:
    """Measure how late a delay ends, and that it never ends early."""
    for delay in (5, 50):
        early: list[float] = []

        def late(one: Contender, delay: int = delay, early: list[float] = early) -> float:
            with rounds.with_toxic(one, "latency", latency=delay) as port:
                errors = [taken * 1e3 - delay for taken in round_trips(port, 150 // delay + 12)]
            if one is rounds.ours:
                early.append(max(0.0, -min(errors)))
            # After a sleep the machine answers more slowly, so the reference has to sleep as well.
            plain = round_trips(one.port, 150 // delay + 12, pause=delay / 1e3)
            return max(0.001, percentile(errors, 0.5) - percentile(plain, 0.5) * 1e3)

        rounds.compare(f"latency of {delay} ms, error p50", "ms", 0.5, Better.LESS, late)
        rounds.judge(f"latency of {delay} ms, early by", "ms", 0.05, early)


def measure_bandwidth(rounds: Rounds) -> None:
    """Measure how exactly and how evenly a rate is kept."""
    errors, gaps = [], []
    for _ in range(rounds.rounds):
        with rounds.with_toxic(rounds.ours, "bandwidth", rate=1000) as port:
            rate, gap = rate_and_gap(port, 1.0)
        errors.append(abs(rate / 1e6 - 1) * 100)
        gaps.append(gap * 1e3)
    rounds.judge("bandwidth of 1 MB/s, error", "%", 1.0, errors)
    rounds.judge("bandwidth of 1 MB/s, longest gap", "ms", 40.0, gaps)


def measure_control(rounds: Rounds) -> None:
    """Measure adding and removing a toxic while a pool's connections are open."""

    def calls(one: Contender) -> float:
        if one.client is None:
            raise ValueError(f"{one.name} takes no calls")
        connection = http.client.HTTPConnection(one.client.address)
        path = "/proxies/bench/toxics"
        body = json.dumps({"type": "latency", "attributes": {"latency": 1}})
        times = []
        with connections(one.port, _POOL, b"e"):
            for _ in range(200):
                begin = time.perf_counter()
                connection.request("POST", path, body)
                connection.getresponse().read()
                connection.request("DELETE", f"{path}/latency_downstream")
                connection.getresponse().read()
                times.append(time.perf_counter() - begin)
        connection.close()
        return percentile(times, 0.5) * 1e3

    rounds.compare("add and remove a toxic, p50", "ms", 1.0, Better.LESS, calls)


def measure_queries(rounds: Rounds, server: Login) -> None:
    """Measure `SELECT 1` with asyncpg."""

    async def queries(port: int) -> float:
        connection = await asyncpg.connect(through(server, port), timeout=10)
        times = []
        for _ in range(1500):
            begin = time.perf_counter()
            await connection.fetchval("select 1")
            times.append(time.perf_counter() - begin)
        await connection.close()
        return percentile(times[100:], 0.5) * 1e6

    for one in (rounds.ours, rounds.theirs):
        if one.client is not None:
            one.client.create_proxy("database", server.address)

    def measure(one: Contender) -> float:
        if one.client is None:
            raise ValueError(f"{one.name} has no proxy")
        return asyncio.run(queries(one.client.proxy("database").port))

    rounds.compare("asyncpg SELECT 1, p50", "µs", 0.85, Better.LESS, measure)


def main() -> int:
    """Measure, print and write all figures; return 0 if every floor holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proxy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds")
    parser.add_argument("--output", type=Path, default=_REPORT)
    options = parser.parse_args()
    with (
        peer() as upstream,
        contenders(upstream) as (ours, theirs, direct),
        database() as server,
    ):
        rounds = Rounds(ours, theirs, options.rounds, upstream)
        # Memory first, because both proxies keep memory that other measurements have used.
        measure_connections(rounds)
        measure_round_trips(rounds)
        measure_queries(rounds, server)
        measure_control(rounds)
        measure_latency(rounds)
        measure_bandwidth(rounds)
        measure_bulk(rounds)
        plain = statistics.median(bulk(direct.port, 10, _BULK_SECONDS)[0] for _ in range(3))
        bare = percentile(round_trips(direct.port, 4000), 0.5) * 1e6
    title = (
        "The engine against Toxiproxy 2.12.0: medians, and the median ratio of "
        f"{options.rounds} rounds.\n"
        f"No proxy: bulk {plain / 1e9:.2f} GB/s, round trip {bare:.0f} µs."
    )
    return report(title, rounds.figures, options.output)


if __name__ == "__main__":
    sys.exit(main())
