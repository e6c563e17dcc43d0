"""`make bench-scale`: what a run takes on more replicas, in more shards and for more services.

It simulates how trials are handed out, on the times that gates of several services have recorded
(`benchmarks/recorded.json`; `ARGS="NAME=brownout.json …"` takes other reports). The tables are
those of docs/explanation/scale.md.
"""

import argparse
import heapq
import json
import random
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from brownout.chaos import CHAOS
from brownout.trial import Trial, plan
from brownout.trial.division import divided, weights

__all__ = ["Gate", "last_of", "recorded", "shares", "side_by_side", "tables"]

RECORDED: Final = Path(__file__).with_name("recorded.json")

REPLICAS: Final = (1, 2, 4, 8)
SHARDS: Final = (1, 2, 3, 4, 6, 10, 20)
MACHINES: Final = (4, 8, 16, 32)
BESIDE: Final = 4
"""Replicas in each job of the tables of shards and of services."""

BEGIN: Final = 75.0
"""Seconds that each job takes beside its trials: its machine is handed over, installs, and starts
PostgreSQL, the engine and the service; at the end it writes the report."""

SERVICES: Final = 100
SEED: Final = 1
SWEEP: Final = 600.0
"""Seconds of `--sweep` in a night's run of one service."""

SEARCH: Final = 300.0
"""Seconds of `--chaos` in a night's run."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate that was run: how long each trial took, in seconds, in the order in which they were
    judged; how many checks made no trial of their own, and how long these took together."""

    trials: Mapping[str, float]
    checks: int
    judging: float

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Self:
        """The gate that has written this document."""
        took: dict[str, float] = {}
        judging = []
        for test in document["tests"]:
            trial = test["facts"].get("trial")
            if trial in took:
                judging.append(test["seconds"])
            elif trial is not None:
                took[trial] = test["facts"]["seconds"]
        return cls(took, len(judging), round(sum(judging), 2))


def recorded() -> dict[str, Gate]:
    """The gates whose times are kept, by service."""
    kept = json.loads(RECORDED.read_text(encoding="utf-8"))
    return {name: Gate(**one) for name, one in kept.items()}


# -- the scheduler --------------------------------------------------------------------------------


def last_of(durations: Iterable[float], machines: int) -> float:
    """When the last of these is over, each begun where it is free first."""
    free = [0.0] * machines
    for duration in durations:
        heapq.heapreplace(free, free[0] + duration)
    return max(free)


def side_by_side(took: Mapping[str, float], replicas: int, *, longest_first: bool = False) -> float:
    """How long these trials take on replicas: first those that run alone, one after the other, then
    the others in their order, or the longest first."""
    trials = _planned()
    alone = sum(each for name, each in took.items() if trials[name].alone)
    beside = [each for name, each in took.items() if not trials[name].alone]
    return alone + last_of(sorted(beside, reverse=True) if longest_first else beside, replicas)


def shares(took: Mapping[str, float], shards: int) -> Iterator[dict[str, float]]:
    """The trials of each shard, divided by the times that they take."""
    trials = [_planned()[name] for name in took]
    times = {name: timedelta(seconds=each) for name, each in took.items()}
    shard_of = divided(weights(trials, None, times), shards)
    for number in range(1, shards + 1):
        yield {name: each for name, each in took.items() if shard_of[name] == number}


@cache
def _planned() -> Mapping[str, Trial]:
    """The suites' trials by name."""
    values = (getattr(plan, name) for name in plan.__all__)
    trials = (one for value in values for one in (value if isinstance(value, tuple) else (value,)))
    return {trial.id: trial for trial in (*trials, *CHAOS)}


# -- the tables -----------------------------------------------------------------------------------


def tables(gates: Mapping[str, Gate]) -> Iterator[str]:
    """The page's tables, in Markdown."""
    yield _of_checks(gates)
    yield _of_replicas(gates)
    yield _of_shards(gates)
    yield _of_services(list(gates.values()))


def _of_checks(gates: Mapping[str, Gate]) -> str:
    rows = [
        (
            name,
            len(gate.trials),
            f"{sum(gate.trials.values()):.0f} s",
            f"{statistics.median(gate.trials.values()):.1f} s",
            f"{max(gate.trials.values()):.0f} s",
            gate.checks,
            f"{1000 * gate.judging / gate.checks:.0f} ms",
        )
        for name, gate in gates.items()
    ]
    names = ("service", "trials", "together", "median", "longest", "further checks", "each")
    return _table(names, rows)


def _of_replicas(gates: Mapping[str, Gate]) -> str:
    rows = []
    for name, gate in gates.items():
        took = [
            f"{side_by_side(gate.trials, replicas, longest_first=longest_first):.0f} s"
            for replicas in REPLICAS
            for longest_first in (False, True)
        ]
        pairs = zip(took[::2], took[1::2], strict=True)
        rows.append((name, *(f"{plain} ({sorted_})" for plain, sorted_ in pairs)))
    return _table(
        ("service", "1 replica", *(f"{number} replicas" for number in REPLICAS[1:])), rows
    )


def _of_shards(gates: Mapping[str, Gate]) -> str:
    rows = []
    for name, gate in gates.items():
        slowest = [
            max(BEGIN + side_by_side(own, BESIDE) for own in shares(gate.trials, shards))
            for shards in SHARDS
        ]
        rows.append((name, *(f"{each:.0f} s" for each in slowest)))
    return _table(("service", "1 shard", *(f"{number} shards" for number in SHARDS[1:])), rows)


def _of_services(gates: Sequence[Gate]) -> str:
    rows = []
    for what, shards, longest_first in (
        ("whole, as they come", 1, False),
        ("whole, the longest first", 1, True),
        ("2 shards each, the longest first", 2, True),
        ("4 shards each, the longest first", 4, True),
    ):
        jobs = [job for of_service in _night(gates, shards) for job in of_service]
        jobs = sorted(jobs, reverse=True) if longest_first else jobs
        rows.append(
            (
                what,
                f"{sum(jobs) / 3600:.0f}",
                f"{max(jobs) / 60:.0f} min",
                *(_hours(last_of(jobs, machines)) for machines in MACHINES),
            )
        )
    ended = [f"{machines} machines" for machines in MACHINES]
    return _table(("runs", "machine hours", "longest job", *ended), rows)


def _night(gates: Sequence[Gate], shards: int) -> Iterator[list[float]]:
    """How long each job of each service's run takes: a service is one of those that were recorded,
    drawn, with a sweep and a search as long as a night has room for."""
    chance = random.Random(SEED)  # noqa: S311 - not a secret
    for _ in range(SERVICES):
        took = dict(chance.choice(gates).trials) | {trial.id: SEARCH for trial in CHAOS}
        swept = {trial.id: SWEEP / len(plan.SWEEP) / shards for trial in plan.SWEEP}
        yield [BEGIN + side_by_side({**own, **swept}, BESIDE) for own in shares(took, shards)]


def _hours(seconds: float) -> str:
    return f"{seconds // 3600:.0f}:{seconds % 3600 // 60:02.0f} h"


def _table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [names, ["--:"] * len(names), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="benchmarks.scale", description=__doc__)
    parser.add_argument("reports", nargs="*", metavar="NAME=FILE", help="brownout.json of a gate")
    parser.add_argument("--keep", action="store_true", help=f"write their times to {RECORDED.name}")
    options = parser.parse_args(arguments)
    if not options.reports:
        gates = recorded()
    else:
        named = (one.partition("=") for one in options.reports)
        gates = {
            name: Gate.of_document(json.loads(Path(file).read_text(encoding="utf-8")))
            for name, _, file in named
        }
    if options.keep:
        kept = {name: asdict(gate) for name, gate in gates.items()}
        RECORDED.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print("\n".join(tables(gates)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
