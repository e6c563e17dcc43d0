"""The spike's verdict: it holds for a service that does what it should, and misses each floor for
one that misses just that."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import spike
from benchmarks.spike import LEVELS, Measured, Spike
from benchmarks.spike_load import Sample

STAGE = 4.0
CAPACITY = 100
"""Requests per second that the service of these figures sustains."""

END = (len(LEVELS) - 2) * STAGE
"""When the spike is over: its last two levels are below what is sustained."""


def a_spike() -> list[Sample]:
    """What is sustained is served in 50 ms; what comes beyond is refused at once."""
    samples = []
    for number, level in enumerate(LEVELS):
        asked = int(level * CAPACITY * STAGE)
        for one in range(asked):
            begun = (number + one / asked) * STAGE
            served = one % max(1, round(level)) == 0
            samples.append(Sample(begun, 0.05, 201) if served else Sample(begun, 0.001, 503))
    return samples


def with_stages(change: Callable[[Sample], Sample], levels: Iterable[float]) -> Spike:
    """A spike of which every sample at those levels is changed."""
    return Spike(
        [
            change(sample) if LEVELS[int(sample.at // STAGE)] in levels else sample
            for sample in a_spike()
        ],
        STAGE,
    )


def unchanged(sample: Sample) -> Sample:
    return sample


def refused_every_third_time(sample: Sample) -> Sample:
    return replace(sample, status=503) if int(sample.at * 1000) % 3 == 0 else sample


def slow(sample: Sample) -> Sample:
    return replace(sample, seconds=1.01) if sample.accepted else sample


def failing_until_it_is_too_late(sample: Sample) -> Sample:
    return replace(sample, status=503) if 0 < sample.at - END < 3.5 else sample


def found(spiked: Spike, /, **healthy: list[float]) -> Measured:
    usual = {"shop": [95.0, 92.0], "twin": [100.0, 100.0], "twin_without_resets": [100.0, 100.0]}
    return Measured({**usual, **healthy}, spiked, with_stages(slow, LEVELS), 1000.0)


GOOD = with_stages(unchanged, ())


def verdict(of: Measured, monkeypatch: pytest.MonkeyPatch, path: Path) -> tuple[int, list[str]]:
    """The exit code, and the names of the figures that missed their floors, from the JSON."""
    monkeypatch.setattr(spike, "measured", lambda *_: of)
    code = spike.main(["--json", str(path)])
    return code, [each["figure"] for each in json.loads(path.read_text()) if not each["holds"]]


def test_a_service_that_does_what_it_should_holds_every_floor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verdict(found(GOOD), monkeypatch, tmp_path / "spike.json") == (0, [])
    assert "4 of 4 floors hold" in capsys.readouterr().out


def test_what_the_twin_reaches_without_resets_is_reported_and_not_judged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spike.json"
    faster = found(GOOD, twin_without_resets=[200.0, 200.0])
    assert verdict(faster, monkeypatch, path) == (0, [])
    assert "the same, twin without resets" in capsys.readouterr().out
    [line] = [each for each in json.loads(path.read_text()) if "without" in each["figure"]]
    assert (line["ours"], line["peer"], line["floor"]) == (93.5, 200.0, None)


@pytest.mark.parametrize(
    ("figure", "measured"),
    [
        ("healthy throughput", found(GOOD, shop=[85.0, 89.0])),
        ("goodput at 2x, of its peak", found(with_stages(refused_every_third_time, [2.0]))),
        ("p99 of what was accepted", found(with_stages(slow, [10.0]))),
        ("back at baseline after", found(with_stages(failing_until_it_is_too_late, [0.5, 0.1]))),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_a_floor_that_is_missed_is_named_and_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, figure: str, measured: Measured
) -> None:
    assert verdict(measured, monkeypatch, tmp_path / "spike.json") == (1, [figure])


def test_a_service_that_serves_nothing_misses_what_it_should() -> None:
    nothing = with_stages(lambda sample: replace(sample, status=0, seconds=5.0), LEVELS)
    missed = [each.figure for each in found(nothing).judged() if not each.holds]
    assert missed == [
        "goodput at 2x, of its peak",
        "p99 of what was accepted",
        "back at baseline after",
    ]


def test_contenders_take_turns_at_being_first(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def throughput(port: int) -> float:
        asked.append(port)
        return float(port)

    monkeypatch.setattr(spike, "throughput", throughput)
    figures = spike.sustained({"shop": 1, "twin": 2}, rounds=3)
    assert asked == [1, 2, 2, 1, 1, 2]
    assert figures == {"shop": [1, 1, 1], "twin": [2, 2, 2]}
