"""The whole chain, judged from outside: pytest in a process of its own, and its report."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.controls.control import Control

__all__ = ["Judgement", "judgement_of"]

ROOT = Path(__file__).parents[2]
TIMEOUT = 120


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the suites said: behaviours by verdict, whether the steady state was there, the exit
    code, and what was printed."""

    kept: frozenset[str]
    broken: frozenset[str]
    tolerated: frozenset[str]
    unknown: frozenset[str]
    not_assessed: frozenset[str]
    steady: bool
    exit_code: int
    output: str


def judgement_of(control: Control, folder: Path) -> Judgement:
    """Run the suites on the control's service; the report goes to `folder`."""
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "suites", "-p", "tests.controls.selection"),
            f"--judge={','.join(sorted(control.judged_by))}",
            f"--brownout-service=tests.controls.declared:{control.name}",
            f"--brownout-report={folder}",
            "--no-header",
            "-rfE",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    output = finished.stdout + finished.stderr
    report = json.loads((folder / "brownout.json").read_text(encoding="utf-8"))
    verdicts = {each["id"]: each["verdict"] for each in report["behaviours"]}

    def such(verdict: str) -> frozenset[str]:
        return frozenset(name for name, value in verdicts.items() if value == verdict)

    return Judgement(
        kept=such("kept"),
        broken=such("broken"),
        tolerated=frozenset(each["id"] for each in report["behaviours"] if each["tolerated"]),
        unknown=such("unknown"),
        not_assessed=such("not assessed"),
        steady=not any(
            line.startswith(("FAILED", "ERROR")) and "test_steady_state.py" in line
            for line in output.splitlines()
        ),
        exit_code=finished.returncode,
        output=output,
    )
