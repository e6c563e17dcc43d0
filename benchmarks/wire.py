"""Measure the cost of parsing the protocol: `python -m benchmarks.wire`.

Compares a proxy that parses ("framed") with a plain one of the same engine and with the real
Toxiproxy, in short turns, so a busy moment of the machine affects them alike. Writes
brownout-report/bench-wire.json and exits with 1 if a floor is missed.
"""

import argparse
import asyncio
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

from benchmarks.contenders import contenders
from benchmarks.database import database, through
from benchmarks.figures import Better, Figure, compared, judged, report
from benchmarks.loads import percentile
from brownout.control import EngineClient
from brownout.engine.stream import Ending
from brownout.engine.wire.actions import Error
from brownout.engine.wire.active_rules import Rules
from brownout.engine.wire.connection import Wire
from brownout.engine.wire.memory import StatementMemory
from brownout.engine.wire.rules import Rule
from brownout.engine.wire.when import When
from brownout.login import Login

__all__ = ["main"]

_REPORT = Path("brownout-report/bench-wire.json")
_QUERIES = 2000  # of each proxy, in each round
_RUN = 10
"""Queries through one proxy before another has its turn.

The first one finds client and server cold: where each query changes the connection, one without any
proxy takes up to twice as long, which is the same for all and hides what the proxies cost.
"""
_ROWS = 400_000
_PATTERNS = 100
_RULED = f"{_PATTERNS} patterns"


def main() -> int:
    """Measure, print and write all figures; return 0 if every floor holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wire", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds")
    parser.add_argument("--output", type=Path, default=_REPORT)
    options = parser.parse_args()
    with database() as login, contenders(str(login.address)) as (ours, theirs, _):
        client = ours.client
        if not isinstance(client, EngineClient):
            raise TypeError("The engine needs its own client.")
        for name in ("framed", _RULED):
            client.create_proxy(name, login.address, protocol="postgresql")
        for number in range(_PATTERNS):
            when = When(sql=f"insert into table{number} values")
            client.wire.add_rule(_RULED, Rule(when, Error("40001")))
        ports = {
            "framed": client.proxy("framed").port,
            _RULED: client.proxy(_RULED).port,
            "plain": ours.port,
            "toxiproxy": theirs.port,
        }
        figures = asyncio.run(_measured(login, ports, options.rounds))
    figures.append(_framing(options.rounds))
    return report("Following the PostgreSQL protocol", figures, options.output)


async def _measured(login: Login, ports: Mapping[str, int], rounds: int) -> list[Figure]:
    ways = {name: await asyncpg.connect(through(login, port)) for name, port in ports.items()}
    await _select_one(ways, 200)
    taken = [await _select_one(ways, _QUERIES) for _ in range(rounds)]
    copied = [{name: await _copy(way) for name, way in ways.items()} for _ in range(rounds)]
    for way in ways.values():
        await way.close()

    def times(name: str, share: float) -> list[float]:
        return [percentile(one[name], share) * 1000 for one in taken]

    seconds = {name: [each[name] for each in copied] for name in ports}

    def select(ours: str, peer: str, floor: float, share: float = 0.5) -> Figure:
        mine, theirs = times(ours, share), times(peer, share)
        figure = f"SELECT 1, p{share * 100:.0f}: {ours} / {peer}"
        return compared(figure, "ms", mine, theirs, floor, Better.LESS)

    def copy(peer: str, floor: float) -> Figure:
        figure = f"COPY of {_ROWS:,} rows: framed / {peer}"
        return compared(figure, "s", seconds["framed"], seconds[peer], floor, Better.LESS)

    return [
        select("framed", "plain", 1.15),
        select("framed", "toxiproxy", 0.9),
        select(_RULED, "framed", 1.3),
        select("framed", "plain", 1.5, 0.99),
        select("framed", "toxiproxy", 1.2, 0.99),
        # The framed proxy reads row by row; in the plain one the kernel moves the bytes.
        copy("plain", 4.0),
        copy("toxiproxy", 2.0),
    ]


async def _select_one(
    ways: Mapping[str, "asyncpg.Connection[Any]"], count: int
) -> Mapping[str, Sequence[float]]:
    """Seconds of each query, the proxies in changing order."""
    clock = time.perf_counter
    times: dict[str, list[float]] = {name: [] for name in ways}
    order, shuffle = list(ways.items()), Random(count).shuffle  # noqa: S311 (no secret)
    for _ in range(count // _RUN):
        shuffle(order)
        for name, way in order:
            for _ in range(_RUN):
                begun = clock()
                await way.fetchval("select 1")
                times[name].append(clock() - begun)
    return times


async def _copy(way: "asyncpg.Connection[Any]") -> float:
    async def drop(_: bytes) -> None:
        return

    begun = time.perf_counter()
    await way.copy_from_query(f"select generate_series(1, {_ROWS})", output=drop)
    return time.perf_counter() - begun


# -- framing itself --------------------------------------------------------------------------


class _Nowhere:
    def put(self, data: bytes, consumed: int) -> None:
        """Send nothing."""

    def end(self, ending: Ending) -> None:
        """End nothing."""

    def later(self, seconds: float, action: Any) -> "_Nowhere":  # noqa: ARG002
        """Schedule nothing."""
        return self

    def cancel(self) -> None:
        """Cancel nothing."""


def _message(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack(">I", len(body) + 4) + body


def _framing(rounds: int) -> Figure:
    """Microseconds per message of a prepared `SELECT 1`, in both directions."""
    wire = Wire(1, Rules(StatementMemory()), _Nowhere(), _Nowhere())
    wire.up.take(struct.pack(">II", 10, 3 << 16) + b"\0\0")
    wire.down.follow(_message("R", b"\0\0\0\0") + _message("Z", b"I"))
    asked = _message("B", b"\0s\0\0\0\0\0\0\0") + _message("E", b"\0\0\0\0\0") + _message("S")
    answered = (
        _message("2")
        + _message("D", b"\0\1\0\0\0\1" + b"1")
        + _message("C", b"SELECT 1\0")
        + _message("Z", b"I")
    )
    values = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(20_000):
            wire.up.follow(asked)
            wire.down.follow(answered)
        values.append((time.perf_counter() - begun) / 20_000 / 7 * 1e6)
    return judged("following one message", "µs", values, 2.0, Better.LESS)


if __name__ == "__main__":
    raise SystemExit(main())
