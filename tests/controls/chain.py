"""The whole chain, judged from outside: pytest in a process of its own, and its report.

Each process is forked from one that has imported what every run imports, which is half of the CPU
time of most controls.
"""

import json
import multiprocessing
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.controls.control import Control

__all__ = ["ROOT", "Judgement", "judgement_of"]

ROOT: Final = Path(__file__).parents[2]

TIMEOUT: Final = 240
"""Seconds; a control takes some ten on an idle machine."""

PLUGINS: Final = ("pytest_asyncio.plugin", "brownout.plugin", "tests.controls.selection")
"""What the suites need; loading whatever else is installed would double the start."""

# Without the plugins: pytest itself has to be the first to import them, to rewrite their asserts.
_PRELOADED: Final = (
    "pytest",
    "brownout.backends.embedded",
    "brownout.expectations",
    "brownout.trial.plan",
    "brownout.service.process",
)

_FORKSERVER: Final = multiprocessing.get_context("forkserver")
_FORKSERVER.set_forkserver_preload(list(_PRELOADED))


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
    arguments = [
        *("suites", "--no-header", "-rfE"),
        *(word for plugin in PLUGINS for word in ("-p", plugin)),
        f"--judge={','.join(sorted(control.judged_by))}",
        f"--brownout-service=tests.controls.declared:{control.name}",
        f"--brownout-report={folder}",
        "--brownout-backend=embedded",
    ]
    shown = folder / "output.txt"
    run = _FORKSERVER.Process(target=_run, args=(arguments, _environment(), shown), daemon=True)
    run.start()
    run.join(TIMEOUT)
    exit_code = run.exitcode
    run.kill()
    output = shown.read_text(encoding="utf-8")
    assert exit_code is not None, f"not done after {TIMEOUT} s:\n{output}"
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
        exit_code=exit_code,
        output=output,
    )


def _run(arguments: list[str], environment: Mapping[str, str], shown: Path) -> None:
    """Be that pytest: in the child process, as `python -m pytest` with these arguments."""
    with shown.open("wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.exit(pytest.main(arguments))


def _environment() -> dict[str, str]:
    """Ours, without what was meant for the run that we are in."""
    ours = ("PYTEST_", "BROWNOUT_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) or name == "BROWNOUT_PG_BIN"
    }
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
