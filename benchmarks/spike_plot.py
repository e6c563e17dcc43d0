"""Plot a spike: the requests served in time."""

from collections.abc import Sequence
from pathlib import Path

import pygal  # type: ignore[import-untyped]

from benchmarks.spike_load import Sample

__all__ = ["plot"]


def plot(
    path: Path, shop: Sequence[Sample], twin: Sequence[Sample], deadline: float, seconds: float
) -> None:
    """Write an SVG of goodput and offered load in each second of the run."""
    chart = pygal.XY(
        title=f"Answers within {deadline:g} s, per second, in a spike",
        x_title="seconds",
        show_dots=False,
        legend_at_bottom=True,
        js=(),
    )
    chart.add("offered", _per_second(shop, seconds), stroke_style={"dasharray": "3, 6"})
    for name, samples in (("sample service", shop), ("naive twin", twin)):
        good = [each for each in samples if each.accepted and each.seconds <= deadline]
        chart.add(name, _per_second(good, seconds))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(chart.render())


def _per_second(samples: Sequence[Sample], seconds: float) -> list[tuple[float, int]]:
    counts = [0] * int(seconds)
    for sample in samples:
        if sample.at < len(counts):
            counts[int(sample.at)] += 1
    return [(second + 0.5, count) for second, count in enumerate(counts)]
