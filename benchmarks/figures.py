"""Figures of a benchmark: judging, printing and writing them."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

__all__ = ["Better", "Figure", "compared", "judged", "report", "reported"]


class Better(StrEnum):
    """Whether more or less of a figure is better."""

    MORE = "more"
    LESS = "less"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a report.

    `ours` and `peer` are medians in `unit` (`peer` may be None). `ratio` is the judged value: the
    median over the rounds of ours / peer, or of our values if the floor is absolute. `spread` is
    the lowest and highest judged value. `floor` is the limit, None if the figure is only reported,
    and `holds` says whether it is met.
    """

    figure: str
    unit: str
    ours: float
    peer: float | None
    ratio: float
    spread: tuple[float, float]
    floor: float | None
    better: Better
    holds: bool


def compared(
    figure: str,
    unit: str,
    ours: Sequence[float],
    peer: Sequence[float],
    floor: float | None,
    better: Better,
) -> Figure:
    """Judge the ratio to the peer; the n-th values of both come from the same round."""
    ratios = [mine / theirs for mine, theirs in zip(ours, peer, strict=True)]
    return _figure(
        figure, unit, statistics.median(ours), statistics.median(peer), ratios, floor, better
    )


def judged(
    figure: str,
    unit: str,
    values: Sequence[float],
    floor: float,
    better: Better,
    peer: float | None = None,
) -> Figure:
    """Judge our own values; the peer's value is only reported."""
    return _figure(figure, unit, statistics.median(values), peer, values, floor, better)


def reported(figure: str, unit: str, values: Sequence[float], better: Better) -> Figure:
    """Our own values, without a limit."""
    return _figure(figure, unit, statistics.median(values), None, values, None, better)


def _figure(
    figure: str,
    unit: str,
    ours: float,
    peer: float | None,
    measured: Sequence[float],
    floor: float | None,
    better: Better,
) -> Figure:
    ratio = statistics.median(measured)
    enough = floor is None or (ratio >= floor if better is Better.MORE else ratio <= floor)
    return Figure(
        figure, unit, ours, peer, ratio, (min(measured), max(measured)), floor, better, enough
    )


def report(title: str, figures: Sequence[Figure], path: Path) -> int:
    """Print a table, write the JSON, and return the exit code: 1 if a floor is missed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")
    width = max(len(figure.figure) for figure in figures)
    print(f"{title}\n")
    print(f"{'':{width}}  {'ours':>10}  {'peer':>10}  {'judged':>8}  {'spread':>17}  floor")
    for one in figures:
        peer = "–" if one.peer is None else f"{one.peer:.4g}"
        sign = "≥" if one.better is Better.MORE else "≤"
        verdict = "holds" if one.holds else "MISSED"
        floor = "none" if one.floor is None else f"{sign} {one.floor:g} {verdict}"
        spread = f"{one.spread[0]:.3g} … {one.spread[1]:.3g}"
        print(
            f"{one.figure:{width}}  {one.ours:10.4g}  {peer:>10}  {one.ratio:8.3f}  {spread:>17}  "
            f"{floor}  [{one.unit}]"
        )
    missed = [figure.figure for figure in figures if not figure.holds]
    floors = sum(figure.floor is not None for figure in figures)
    print(f"\n{path}: {floors - len(missed)} of {floors} floors hold.")
    if missed:
        print(f"Missed: {', '.join(missed)}")
    return 1 if missed else 0
