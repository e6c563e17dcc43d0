"""Measure a spike from a tenth to ten times the sustained rate: `python -m benchmarks.spike`.

Compares the sample service with its naive twin, one after the other, on the same PostgreSQL. The
healthy throughput is also measured for a twin without the round trip by which asyncpg resets a
session, because the shop saves it too. Writes brownout-report/spike.json, draws a plot with
`--plot`, and exits with 1 if a floor is missed.
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.figures import Better, Figure, compared, judged, report
from benchmarks.spike_load import GIVES_UP, Sample, closed, open_model
from benchmarks.spike_services import served

DEADLINE = 1.0
RECOVERY = 3.0
"""Seconds, as the sample service declares them."""

LEVELS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 2.0, 0.5, 0.1)
"""The spike, as multiples of the sustained rate; it ends at the baseline's rate."""

STAGE = 4.0
"""Seconds for each level, unless `--stage` says otherwise."""

AWAY = 20
"""Milliseconds between the services and their databases during the spike; see spike_services."""

ROUNDS = 4
CALLERS = 16
ROUND = 2.0
"""The healthy path: rounds, callers, and seconds of each round."""


@dataclass(frozen=True, slots=True)
class Spike:
    """One service's answers in a spike whose levels took `stage_seconds` each."""

    samples: Sequence[Sample]
    stage_seconds: float

    def stage(self, number: int) -> list[Sample]:
        """The requests that were due to start in that level."""
        begin, end = number * self.stage_seconds, (number + 1) * self.stage_seconds
        return [sample for sample in self.samples if begin <= sample.at < end]

    def goodput(self, number: int) -> float:
        """Requests served within the deadline, per second."""
        good = sum(each.accepted and each.seconds <= DEADLINE for each in self.stage(number))
        return good / self.stage_seconds

    def kept_at_double(self) -> float:
        """Goodput at twice the sustained rate, on the way up and down, as a share of the best
        level's goodput; zero if no level had any."""
        goodputs = [self.goodput(number) for number in range(len(LEVELS))]
        double = [good for good, level in zip(goodputs, LEVELS, strict=True) if level == 2.0]
        return sum(double) / len(double) / max(goodputs) if any(goodputs) else 0.0

    def worst_p99(self) -> float:
        """The highest p99 of accepted requests of any level, in seconds."""
        stages = (self.stage(number) for number in range(len(LEVELS)))
        return max(p99([each.seconds for each in stage if each.accepted]) for stage in stages)

    def recovery(self) -> float:
        """Seconds from the spike's end (its last level above the sustained rate) to the last
        request that failed or was slower than max(3 x baseline p99, baseline p99 + 100 ms)."""
        baseline = p99([each.seconds for each in self.stage(0)])
        limit = max(3 * baseline, baseline + 0.1)
        last = max(number for number, level in enumerate(LEVELS) if level > 1)
        over = (last + 1) * self.stage_seconds
        bad = [
            each.at - over
            for each in self.samples
            if each.at >= over and not (each.accepted and each.seconds <= limit)
        ]
        return max(bad, default=0.0)


def p99(seconds: Sequence[float]) -> float:
    """The nearest-rank p99; if nothing was served, the longest time that callers wait."""
    ordered = sorted(seconds)
    return ordered[math.ceil(0.99 * len(ordered)) - 1] if ordered else GIVES_UP


def throughput(port: int) -> float:
    """The rate that a service sustains on the healthy path, in requests per second."""
    samples = uvloop.run(closed(port, CALLERS, ROUND))
    return sum(each.accepted for each in samples) / ROUND


def sustained(ports: Mapping[str, int], rounds: int) -> dict[str, list[float]]:
    """The throughput of each service in each round; the order reverses after each round."""
    names = list(ports)
    figures: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            figures[name].append(throughput(ports[name]))
        names.reverse()
    return figures


@dataclass(frozen=True, slots=True)
class Measured:
    """The healthy throughput of each service by round, in requests per second, and two spikes whose
    highest rate was `highest` requests per second."""

    healthy: Mapping[str, Sequence[float]]
    shop: Spike
    twin: Spike
    highest: float

    def judged(self) -> list[Figure]:
        """Judge all figures."""
        both = (self.shop, self.twin)
        double = [spike.kept_at_double() for spike in both]
        p99s = [spike.worst_p99() for spike in both]
        back = [spike.recovery() for spike in both]
        shop, twin, unreset = (
            self.healthy[name] for name in ("shop", "twin", "twin_without_resets")
        )
        unit, more, less = "1/s, ratio", Better.MORE, Better.LESS
        return [
            compared("healthy throughput", unit, shop, twin, 0.9, more),
            compared("the same, twin without resets", unit, shop, unreset, None, more),
            judged("goodput at 2x, of its peak", "ratio", double[:1], 0.9, more, double[1]),
            judged("p99 of what was accepted", "s", p99s[:1], DEADLINE, less, p99s[1]),
            judged("back at baseline after", "s", back[:1], RECOVERY, less, back[1]),
        ]


def measured(stage: float, rounds: int) -> Measured:
    """Run the services and measure them, with `stage` seconds for each level."""
    with served() as rig:
        healthy = sustained(rig.ports, rounds)
        rig.slow_down(AWAY)
        rate = throughput(rig.ports["shop"])
        stages = [(level * rate, stage) for level in LEVELS]
        shop, twin = (
            Spike(uvloop.run(open_model(rig.ports[name], stages)), stage)
            for name in ("shop", "twin")
        )
    return Measured(healthy, shop, twin, max(LEVELS) * rate)


def main(arguments: Sequence[str]) -> int:
    """Measure, print and write all figures; return the exit code."""
    parser = argparse.ArgumentParser(prog="spike", description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("brownout-report/spike.json"))
    parser.add_argument("--plot", type=Path, help="write the plot to this SVG file")
    parser.add_argument("--stage", type=float, default=STAGE, help="seconds for each level")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of the healthy path")
    chosen = parser.parse_args(arguments)
    found = measured(chosen.stage, chosen.rounds)
    if chosen.plot:
        # pygal changes how the whole process imports.
        from benchmarks.spike_plot import plot  # noqa: PLC0415

        seconds = len(LEVELS) * chosen.stage
        plot(chosen.plot, found.shop.samples, found.twin.samples, DEADLINE, seconds)
    title = f"A spike to {found.highest:.0f} requests/s"
    code = report(title, found.judged(), chosen.json)
    for name, spike in (("shop", found.shop), ("twin", found.twin)):
        served_ = "  ".join(
            f"{level:g}x {spike.goodput(number):.0f}" for number, level in enumerate(LEVELS)
        )
        print(f"{name} goodput [1/s]: {served_}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
