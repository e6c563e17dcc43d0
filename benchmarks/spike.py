"""`python -m benchmarks.spike`: a spike from a tenth to ten times of what the service sustains.

The sample service and its naive twin, one after the other in one run, on the same PostgreSQL. Exit
code 1 where a floor is missed; figures in brownout-report/spike.json, a plot where `--plot` says.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.figures import Better, compared, judged, report
from benchmarks.spike_load import Sample, closed, open_model
from benchmarks.spike_plot import plot
from benchmarks.spike_services import served

DEADLINE = 1.0
RECOVERY = 3.0
"""Seconds: what the sample service declares."""

LEVELS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 2.0, 0.5, 0.1)
"""The spike, as multiples of what is sustained; the last is the baseline's rate again."""

STAGE = 4.0
"""Seconds for each level."""

AWAY = 20
"""Milliseconds between the services and their databases during the spike; see spike_services."""

ROUNDS = 4
CALLERS = 16
ROUND = 2.0
"""The healthy path: so many callers for so many seconds, by turns, so many times."""


@dataclass(frozen=True, slots=True)
class Spike:
    """What one service made of the spike."""

    samples: Sequence[Sample]

    def stage(self, number: int) -> list[Sample]:
        """The requests that were meant to start at that level."""
        begin, end = number * STAGE, (number + 1) * STAGE
        return [sample for sample in self.samples if begin <= sample.at < end]

    def goodput(self, number: int) -> float:
        """Requests served within the deadline, per second."""
        return (
            sum(each.accepted and each.seconds <= DEADLINE for each in self.stage(number)) / STAGE
        )

    def peak(self) -> float:
        """The best goodput of any level."""
        return max(self.goodput(number) for number in range(len(LEVELS)))

    def at_double(self) -> float:
        """Goodput at twice of what is sustained, on the way up and down."""
        passed = [self.goodput(number) for number, level in enumerate(LEVELS) if level == 2.0]
        return sum(passed) / len(passed)

    def worst_p99(self) -> float:
        """The highest p99 of what was accepted, of all levels, in seconds."""
        stages = (self.stage(number) for number in range(len(LEVELS)))
        return max(p99([each.seconds for each in stage if each.accepted]) for stage in stages)

    def recovery(self) -> float:
        """Seconds from the spike's end (its last level above what is sustained) to the last request
        that failed or was slower than max(3 x baseline p99, baseline p99 + 100 ms)."""
        baseline = p99([each.seconds for each in self.stage(0)])
        limit = max(3 * baseline, baseline + 0.1)
        last = max(number for number, level in enumerate(LEVELS) if level > 1)
        over = (last + 1) * STAGE
        bad = [
            each.at - over
            for each in self.samples
            if each.at >= over and not (each.accepted and each.seconds <= limit)
        ]
        return max(bad, default=0.0)


def p99(seconds: Sequence[float]) -> float:
    """The nearest-rank p99; infinite where nothing was served."""
    ordered = sorted(seconds)
    return ordered[math.ceil(0.99 * len(ordered)) - 1] if ordered else math.inf


def throughput(port: int) -> float:
    """What a service sustains on the healthy path, in requests per second."""
    samples = uvloop.run(closed(port, CALLERS, ROUND))
    return sum(each.accepted for each in samples) / ROUND


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write; returns the exit code."""
    parser = argparse.ArgumentParser(prog="spike", description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("brownout-report/spike.json"))
    parser.add_argument("--plot", type=Path, help="write the plot to this SVG file")
    chosen = parser.parse_args(arguments)
    with served() as rig:
        healthy: dict[str, list[float]] = {name: [] for name in rig.ports}
        for _ in range(ROUNDS):
            for name, port in rig.ports.items():
                healthy[name].append(throughput(port))
        rig.slow_down(AWAY)
        sustained = throughput(rig.ports["shop"])
        stages = [(level * sustained, STAGE) for level in LEVELS]
        shop, twin = (
            Spike(uvloop.run(open_model(rig.ports[name], stages))) for name in ("shop", "twin")
        )
    if chosen.plot:
        plot(chosen.plot, shop.samples, twin.samples, DEADLINE, len(LEVELS) * STAGE)
    double = [spike.at_double() / spike.peak() for spike in (shop, twin)]
    p99s = [spike.worst_p99() for spike in (shop, twin)]
    back = [spike.recovery() for spike in (shop, twin)]
    figures = [
        compared(
            "healthy throughput", "1/s, ratio", healthy["shop"], healthy["twin"], 0.9, Better.MORE
        ),
        judged("goodput at 2x, of its peak", "ratio", double[:1], 0.9, Better.MORE),
        judged("p99 of what was accepted", "s", p99s[:1], DEADLINE, Better.LESS),
        judged("back at baseline after", "s", back[:1], RECOVERY, Better.LESS),
    ]
    code = report(f"A spike to {max(LEVELS) * sustained:.0f} requests/s", figures, chosen.json)
    print(
        f"The naive twin: goodput at 2x {double[1]:.2f} of its peak, p99 {p99s[1]:.2f} s, "
        f"back after {back[1]:.1f} s."
    )
    for name, spike in (("shop", shop), ("twin", twin)):
        served_ = "  ".join(
            f"{level:g}x {spike.goodput(number):.0f}" for number, level in enumerate(LEVELS)
        )
        print(f"{name} goodput [1/s]: {served_}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
