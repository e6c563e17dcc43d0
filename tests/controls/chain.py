"""Runs the suites on a control in a separate pytest process, and reads the report.

The process is forked from one that has already imported what every run imports, which saves half of
the CPU time of most controls.
"""

import json
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.controls.control import Control

__all__ = ["ROOT", "Judgement", "judgement_of"]

ROOT: Final = Path(__file__).parents[2]

TIMEOUT: Final = 240
"""Seconds; a control takes about ten on an idle machine."""

PLUGINS: Final = ("pytest_asyncio.plugin", "brownout.plugin", "tests.controls.selection")
"""The plugins that the suites need; loading all installed ones would double the start-up time."""

# Without the plugins, because pytest must import them first to rewrite their asserts.
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
    """The suites' result: promises by verdict, whether the steady state was reached, the cases of
    the sweep that show what is broken, the exit code and the output."""

    broken: frozenset[str]
    tolerated: frozenset[str]
    unknown: frozenset[str]
    not_assessed: frozenset[str]
    steady: bool
    exit_code: int
    output: str
    cases: frozenset[str] = frozenset()


def judgement_of(control: Control, folder: Path, options: Sequence[str] = ()) -> Judgement:
    """Run the suites on the control's service, with the report in `folder` and with these further
    options."""
    arguments = [
        *("suites", "--no-header", "-rfE"),
        *(word for plugin in PLUGINS for word in ("-p", plugin)),
        f"--judge={','.join(sorted(control.judged_by))}",
        f"--brownout-service=tests.controls.declared:{control.name}",
        f"--brownout-report={folder}",
        "--brownout-backend=embedded",
        *([f"--brownout-only={control.sweep}"] if control.sweep else []),
        *options,
    ]
    printed = folder / "output.txt"
    run = _FORKSERVER.Process(target=_run, args=(arguments, _environment(), printed), daemon=True)
    run.start()
    run.join(TIMEOUT)
    exit_code = run.exitcode
    run.kill()
    output = printed.read_text(encoding="utf-8")
    assert exit_code is not None, f"The run did not end within {TIMEOUT} s:\n{output}"
    report = json.loads((folder / "brownout.json").read_text(encoding="utf-8"))

    def having(member: str, value: object) -> frozenset[str]:
        return frozenset(each["id"] for each in report["behaviours"] if each[member] == value)

    return Judgement(
        broken=having("verdict", "broken"),
        tolerated=having("tolerated", value=True),
        unknown=having("verdict", "unknown"),
        not_assessed=having("verdict", "not assessed"),
        steady=not any(
            line.startswith(("FAILED", "ERROR")) and "test_steady_state.py" in line
            for line in output.splitlines()
        ),
        exit_code=exit_code,
        output=output,
        cases=frozenset(
            case
            for finding in report["findings"]
            for case in str(
                ((finding["violation"] or {}).get("facts") or {}).get("cases", "")
            ).split(", ")
            if case
        ),
    )


def _run(arguments: list[str], environment: Mapping[str, str], printed: Path) -> None:
    """Run pytest in the child process, like `python -m pytest` with these arguments."""
    with printed.open("wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.exit(pytest.main(arguments))


def _environment() -> dict[str, str]:
    """Return this process's environment without the settings of its own pytest run."""
    own = ("PYTEST_", "BROWNOUT_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(own) or name == "BROWNOUT_PG_BIN"
    }
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
