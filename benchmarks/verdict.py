"""How long a verdict takes: a sound service, one that hangs in every silent fault, and the sample.

`make bench-verdict`. Each is judged by `brownout gate` as a user starts it, one after the other in
the same round. What hangs may take three times what is sound: it has to be waited for, but not
again and again. The time against the recordings' own, packed on the replicas, is only reported: it
shows what starting, judging and waiting for each other cost.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Better, Figure, compared, report

__all__ = ["main"]

_ROOT = Path(__file__).parents[1]
_REPORT = Path("brownout-report/bench-verdict.json")
_SOUND = "benchmarks.verdict_services:sound"
_HANGING = "benchmarks.verdict_services:hanging"
_TIMEOUT = 600  # seconds


@dataclass(frozen=True, slots=True)
class _Run:
    """One gate: seconds in all and to the first verdict, and the recordings' own on one replica and
    on those that ran."""

    wall: float
    first: float
    recorded: float
    packed: float


def main() -> int:
    """Measure, print, and return 1 if a floor is missed."""
    parser = argparse.ArgumentParser(prog="make bench-verdict", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--replicas", type=int, default=4)
    options = parser.parse_args()
    sound, hanging, sample = [], [], []
    for _ in range(options.rounds):
        sound.append(_gate(options.replicas, _SOUND, expected=0))
        hanging.append(_gate(options.replicas, _HANGING, expected=1))
        sample.append(_gate(options.replicas, None, expected=0))
    figures = [
        compared(
            "a service that hangs / a sound one", "s",
            [run.wall for run in hanging], [run.wall for run in sound], 3.0, Better.LESS,
        ),
        *_reported("sample service", sample),
        *_reported("service that hangs", hanging),
    ]  # fmt: skip
    return report("A verdict", figures, _REPORT)


def _reported(name: str, runs: list[_Run]) -> list[Figure]:
    return [
        compared(
            f"{name}: all / its recordings, packed", "s",
            [run.wall for run in runs], [run.packed for run in runs], None, Better.LESS,
        ),
        compared(
            f"{name}: first verdict / all", "s",
            [run.first for run in runs], [run.wall for run in runs], None, Better.LESS,
        ),
    ]  # fmt: skip


def _gate(replicas: int, service: str | None, *, expected: int) -> _Run:
    """Run the gate; a verdict other than the expected one ends the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-c", "import sys, brownout.cli; sys.exit(brownout.cli.main())"),
            *("gate", "-v", f"--report={folder}", f"--replicas={replicas}"),
            *([f"--service={service}"] if service else []),
        ]
        began = time.monotonic()
        first = 0.0
        with subprocess.Popen(
            command,
            # The checkout declares the sample service itself.
            cwd=folder if service else _ROOT,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as gate:
            assert gate.stdout is not None
            lines = []
            for line in gate.stdout:
                lines.append(line)
                if not first and line.lstrip(".").startswith("[ 1/"):
                    first = time.monotonic() - began
            code = gate.wait(_TIMEOUT)
        wall = time.monotonic() - began
        assert code == expected, "".join(lines[-40:])
        recordings = Path(folder, "recordings").glob("*.json")
        seconds = [json.loads(path.read_text("utf-8")) for path in recordings]
    alone = sum(one["seconds"] for one in seconds if one["alone"])
    beside = sum(one["seconds"] for one in seconds if not one["alone"])
    return _Run(wall, first, alone + beside, alone + beside / replicas)


if __name__ == "__main__":
    raise SystemExit(main())
