"""`make bench-sweep`: how fast the sweep of the sample service is, on one replica and on four.

Some cases have to wait: a service that meets silence answers at its deadline. What a sweep takes
beyond the sum of these waits is its own. On one replica it may be half of them at most; with four,
as many shares run side by side.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]

MOST: Final = 1.5
"""Times the sum of the waits that must be."""


@dataclass(frozen=True, slots=True)
class Speed:
    """`cases` in `seconds` of the shares' own time, of which the longest share took `longest`; the
    service had to wait for `waits` seconds in all; `quick` cases without a wait took `quickly`."""

    cases: int
    seconds: float
    longest: float
    waits: float
    quick: int
    quickly: float

    @classmethod
    def of(cls, shares: Sequence[Mapping[str, Any]]) -> "Speed":
        """The speed of a sweep, from its recordings."""
        cases = [case for share in shares for case in share["cases"]]
        waiting = [case for case in cases if case["waits"]]
        quick = [case for case in cases if not case["waits"]]
        return cls(
            len(cases),
            sum(case["seconds"] for case in cases),
            max(sum(case["seconds"] for case in share["cases"]) for share in shares),
            sum(one["seconds"] for case in waiting for one in case["tries"]),
            len(quick),
            sum(case["seconds"] for case in quick),
        )

    @property
    def overhead(self) -> float:
        """All of the time, as a multiple of the waits."""
        return self.seconds / self.waits


def swept(replicas: int, folder: Path) -> Speed:
    """Sweep the sample service. Raises `SystemExit` where the gate does not pass."""
    command = [
        *(str(Path(sys.executable).with_name("brownout")), "gate", "--only", "sweep"),
        *("--replicas", str(replicas), "--report", str(folder)),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}")
    paths = sorted((folder / "recordings").glob("sweep_*.json"))
    return Speed.of([json.loads(path.read_text(encoding="utf-8"))["swept"] for path in paths])


def main() -> int:
    """Print the table; 1 if one replica takes too long."""
    print("replicas  cases  wall s  cases/s  waits s  all / waits  without a wait")
    one = None
    with tempfile.TemporaryDirectory() as temporary:
        for replicas in (1, 4):
            speed = swept(replicas, Path(temporary, str(replicas)))
            wall = speed.seconds if replicas == 1 else speed.longest
            one = one or speed
            print(
                f"{replicas:8}  {speed.cases:5}  {wall:6.1f}  {speed.cases / wall:7.1f}"
                f"  {speed.waits:7.1f}  {speed.overhead:11.2f}"
                f"  {speed.quick / speed.quickly:6.1f} cases/s"
            )
    return 0 if one is not None and one.overhead <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
