"""How long a verdict takes: a sound service, one that hangs in every silent fault, and the sample.

`make bench-verdict`. Each is judged by `brownout gate` as a user starts it, one after the other in
the same round. What hangs may take three times what is sound: it has to be waited for, but not
again and again. And each may take 1.3 times the longest that its plan says at the start, which is
every trial at its limit, packed on the replicas. Only reported are the time against the recordings'
own, packed alike (it shows what starting, judging and waiting for each other cost), the most memory
that all processes of a gate had together (PSS), and, with `--against COMMIT`, the time against that
commit's suites for the promises that it judges, on the sample service and on the one that hangs.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.figures import Better, Figure, compared, report, reported

__all__ = ["main"]

_ROOT = Path(__file__).parents[1]
_REPORT = Path("brownout-report/bench-verdict.json")
_SOUND = "benchmarks.verdict_services:sound"
_HANGING = "benchmarks.verdict_services:hanging"
_TIMEOUT = 600  # seconds
_LOOK = 0.5  # seconds between two looks at the memory
_LONGEST = re.compile(r"up to about (\d+) (s|min)\b")  # in the line that tells the plan
_MAIN = "import sys, brownout.cli; sys.exit(brownout.cli.main())"
_HANGING_CONTROL = "tests.controls.declared:no_timeouts"
"""The service that hangs, by a name that earlier commits know."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One gate: seconds in all, to the first verdict, of the recordings packed on the replicas that
    ran, and the longest that the plan says; the most memory of all its processes, in MB."""

    wall: float
    first: float
    packed: float
    longest: float
    memory: float


def main() -> int:
    """Measure, print, and return 1 if a floor is missed."""
    parser = argparse.ArgumentParser(prog="make bench-verdict", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--replicas", type=int, default=4)
    parser.add_argument("--against", metavar="COMMIT")
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
        *(_against(options.against, options.replicas) if options.against else ()),
    ]  # fmt: skip
    return report("A verdict", figures, _REPORT)


def _against(commit: str, replicas: int) -> Iterator[Figure]:
    """The same promises by that commit's suites, in one process as its gate runs them."""
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["git", "archive", commit], cwd=_ROOT, stdout=subprocess.PIPE, check=True
        )
        subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
        for name, service in (("sample service", None), ("service that hangs", _HANGING_CONTROL)):
            then, promises = _earlier(Path(folder), service)
            now = _gate(replicas, service, expected=1 if service else 0, only=promises)
            yield compared(
                f"{name}: {len(promises)} promises, now / {commit}", "s",
                [now.wall], [then], None, Better.LESS,
            )  # fmt: skip


def _earlier(checkout: Path, service: str | None) -> tuple[float, list[str]]:
    """How long a gate of that checkout takes, and which promises it judges."""
    written = checkout / "report"
    command = [sys.executable, "-c", _MAIN, "gate", "-q", f"--report={written}"]
    began = time.monotonic()
    subprocess.run(
        [*command, *([f"--service={service}"] if service else [])],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": f"{checkout / 'fixtures'}:{checkout}"},
        stdout=subprocess.DEVNULL,
        timeout=_TIMEOUT * 2,
        check=False,
    )
    wall = time.monotonic() - began
    document = json.loads((written / "brownout.json").read_text("utf-8"))
    judged = [one["id"] for one in document["behaviours"] if one["verdict"] in ("kept", "broken")]
    assert judged, "the earlier commit judged nothing"
    return wall, judged


def _reported(name: str, runs: list[_Run]) -> list[Figure]:
    return [
        compared(
            f"{name}: all / the longest by its plan", "s",
            [run.wall for run in runs], [run.longest for run in runs], 1.3, Better.LESS,
        ),
        compared(
            f"{name}: all / its recordings, packed", "s",
            [run.wall for run in runs], [run.packed for run in runs], None, Better.LESS,
        ),
        compared(
            f"{name}: first verdict / all", "s",
            [run.first for run in runs], [run.wall for run in runs], None, Better.LESS,
        ),
        reported(f"{name}: most memory", "MB", [run.memory for run in runs], Better.LESS),
    ]  # fmt: skip


def _gate(
    replicas: int,
    service: str | None,
    *,
    expected: int,
    only: Sequence[str] = (),
) -> _Run:
    """Run the gate; a verdict other than the expected one ends the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-c", _MAIN),
            *("gate", "-v", f"--report={folder}", f"--replicas={replicas}"),
            *([f"--service={service}"] if service else []),
            *([f"--only={','.join(only)}"] if only else []),
        ]
        began = time.monotonic()
        first = 0.0
        with (
            subprocess.Popen(
                command,
                # The checkout declares the sample service itself.
                cwd=folder if service else _ROOT,
                env={**os.environ, "PYTHONPATH": str(_ROOT)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as gate,
            _memory(gate.pid) as memory,
        ):
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
    plan = _LONGEST.search("".join(lines))
    assert plan is not None, "".join(lines[:10])
    longest = int(plan[1]) * (60 if plan[2] == "min" else 1)
    return _Run(wall, first, alone + beside / replicas, longest, max(memory, default=0.0))


@contextmanager
def _memory(pid: int) -> Iterator[list[float]]:
    """What a process and its descendants had in memory at each look, in MB of PSS: what several
    share counts once."""
    looks: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK):
            total = 0
            with suppress(psutil.Error):
                top = psutil.Process(pid)
                for process in (top, *top.children(recursive=True)):
                    with suppress(psutil.Error):  # it has ended meanwhile
                        total += process.memory_full_info().pss
            looks.append(total / 1e6)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield looks
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    raise SystemExit(main())
