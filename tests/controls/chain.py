"""The whole chain, judged from outside: pytest in a process of its own, and its report."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.controls.control import Control

__all__ = ["ROOT", "Judgement", "judgement_of"]

ROOT: Final = Path(__file__).parents[2]

TIMEOUT: Final = 240
"""Seconds; a control takes some ten on an idle machine."""

PLUGINS: Final = ("pytest_asyncio.plugin", "brownout.plugin", "tests.controls.selection")
"""What the suites need; loading whatever else is installed would double the start."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the suites said: behaviours by verdict, whether the steady state was there, the exit
    code, and what was printed."""

    broken: frozenset[str]
    tolerated: frozenset[str]
    unknown: frozenset[str]
    not_assessed: frozenset[str]
    steady: bool
    exit_code: int
    output: str


def judgement_of(control: Control, folder: Path) -> Judgement:
    """Run the suites on the control's service; the report goes to `folder`."""
    command = [
        *(sys.executable, "-m", "pytest", "suites", "--no-header", "-rfE"),
        *(word for plugin in PLUGINS for word in ("-p", plugin)),
        f"--judge={','.join(sorted(control.judged_by))}",
        f"--brownout-service=tests.controls.declared:{control.name}",
        f"--brownout-report={folder}",
        "--brownout-backend=embedded",
    ]
    shown = folder / "output.txt"
    with shown.open("wb") as file:  # a pipe would last as long as anything that inherited it
        finished = subprocess.run(
            command,
            cwd=ROOT,
            env=_environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT,
            check=False,
        )
    output = shown.read_text(encoding="utf-8")
    report = json.loads((folder / "brownout.json").read_text(encoding="utf-8"))

    def such(member: str, value: object) -> frozenset[str]:
        return frozenset(each["id"] for each in report["behaviours"] if each[member] == value)

    return Judgement(
        broken=such("verdict", "broken"),
        tolerated=such("tolerated", value=True),
        unknown=such("verdict", "unknown"),
        not_assessed=such("verdict", "not assessed"),
        steady=not any(
            line.startswith(("FAILED", "ERROR")) and "test_steady_state.py" in line
            for line in output.splitlines()
        ),
        exit_code=finished.returncode,
        output=output,
    )


def _environment() -> dict[str, str]:
    """Ours, without what was meant for the run that we are in."""
    ours = ("PYTEST_", "BROWNOUT_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) or name == "BROWNOUT_PG_BIN"
    }
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
