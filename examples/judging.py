"""Prepares an example in a copy of its folder, and judges it there by the gate."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

__all__ = ["EXAMPLES", "GATE", "Judged", "judged", "prepared"]

GATE: Final = [
    sys.executable,
    "-c",
    "import sys, brownout.cli; sys.exit(brownout.cli.main())",
    "gate",
]

_HERE: Final = Path(__file__).parent
_MADE: Final = shutil.ignore_patterns("node_modules", "target", "brownout-report", "go.sum")
_BUSY: Final = "Judge it on a machine that is less busy"
"""What the gate says of a time that other programs may have made late."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What an example needs beside this environment: programs, and the command that fetches its
    packages and builds it. If the variable `required` is 1, a missing program is a failure."""

    name: str
    programs: Sequence[str]
    required: str
    build: Sequence[str]


_NODE: Final = Runtime(
    "Node.js and npm",
    ("node", "npm"),
    "BROWNOUT_REQUIRE_NODE",
    ("npm", "install", "--no-package-lock", "--no-audit", "--no-fund"),
)
_GO: Final = Runtime(
    "Go", ("go",), "BROWNOUT_REQUIRE_PGX", ("go", "build", "-mod=mod", "-o", "shop", ".")
)
_JAVA: Final = Runtime(
    "Java 17 and Maven", ("javac", "mvn"), "BROWNOUT_REQUIRE_JAVA", ("mvn", "-B", "-q", "package")
)

EXAMPLES: Final[Mapping[str, Runtime | None]] = {
    "fastapi_sqlalchemy": None,
    "flask_sqlalchemy": None,
    "django_psycopg": None,
    "express": _NODE,
    "go_pgx": _GO,
    "spring_boot": _JAVA,
}
"""Each example, by its folder; None: all that it needs is in this environment."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate printed, and its report."""

    printed: str
    report: Any

    def having(self, verdict: str) -> set[str]:
        """The promises with this verdict."""
        return {one["id"] for one in self.report["behaviours"] if one["verdict"] == verdict}

    def to_ask_again(self) -> set[str]:
        """What `--only` judges once more: each test whose verdict is unknown, if the load of the
        machine is the only reason for all of them and nothing is broken; otherwise nothing."""
        unknown = [one for one in self.report["tests"] if "unknown" in one["verdicts"].values()]
        loaded = all(_BUSY in trouble["text"] for one in unknown for trouble in one["troubles"])
        if self.having("broken") or not loaded:
            return set()
        return {_only(one["reproduce"]) for one in unknown}


def prepared(name: str, folder: Path) -> Path:
    """A copy of the example, ready to be judged. Skips the test, or fails it where the runtime is
    required, if the machine lacks what it needs."""
    copy = folder / name
    shutil.copytree(_HERE / name, copy, ignore=_MADE)
    runtime = EXAMPLES[name]
    if runtime is None:
        return copy
    if not all(map(shutil.which, runtime.programs)):
        missing = f"{name} needs {runtime.name}"
        if os.environ.get(runtime.required) == "1":
            pytest.fail(f"{runtime.required}=1, but {missing}")
        pytest.skip(missing)
    subprocess.run(runtime.build, cwd=copy, check=True, timeout=600)
    return copy


def judged(folder: Path, *words: str, limit: float) -> Judged:
    """Judge what is declared in the folder; `limit` in seconds."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    gate = subprocess.run(
        [*GATE, *words],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit,
        check=False,
    )
    report = folder / "brownout-report" / "brownout.json"
    if not report.is_file():
        pytest.fail(f"The gate left no report:\n{gate.stdout}")
    return Judged(gate.stdout, json.loads(report.read_text("utf-8")))


def _only(command: str) -> str:
    words = shlex.split(command)
    return words[words.index("--only") + 1]
