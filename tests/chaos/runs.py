"""Runs of pytest of their own, each on one of the services here."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["outcome"]

ROOT: Final = Path(__file__).parents[2]


def outcome(module: str, service: str, **environment: str) -> tuple[int, str]:
    """The exit code and the output of the tests in `tests/chaos/<module>.py` on a service."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0"),
            f"tests/chaos/{module}.py",
            f"--brownout-service=tests.chaos.declared:{service}",
        ],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return run.returncode, run.stdout
