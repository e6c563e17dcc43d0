"""node-postgres and postgres.js, the drivers of Node.js.

They need Node.js 18 or newer with npm, and both drivers from npm's registry the first time. Without
them their tests are skipped; BROWNOUT_REQUIRE_NODE=1 makes that a failure.
"""

import fcntl
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.wire.program import Program

__all__ = ["NodePostgres", "PostgresJs"]

_SOURCES = Path(__file__).parent
_INSTALLED = _SOURCES / "build"
_FILES = ("package.json", "package-lock.json", "run.js")


@cache
def _install() -> str | None:
    """Install the drivers; why they cannot be, or None."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return "`node` and `npm` are not on the PATH"
    _INSTALLED.mkdir(exist_ok=True)
    # One worker installs and the others wait; `npm ci` would begin anew each time.
    with (_INSTALLED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in _FILES:
            shutil.copyfile(_SOURCES / name, _INSTALLED / name)
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
        done = subprocess.run(command, cwd=_INSTALLED, capture_output=True, text=True, check=False)
    return f"`npm install` says: {done.stderr.strip()}" if done.returncode else None


class _Node(Program):
    library: str

    def __init__(self) -> None:
        missing = _install()
        if missing is not None:
            if os.environ.get("BROWNOUT_REQUIRE_NODE") == "1":
                pytest.fail(f"BROWNOUT_REQUIRE_NODE=1, but {missing}")
            pytest.skip(f"the drivers of Node.js cannot be used: {missing}")
        self.command = ("node", _INSTALLED / "run.js", self.library)


class NodePostgres(_Node):
    """The package pg."""

    library = "pg"


class PostgresJs(_Node):
    """The package postgres."""

    library = "postgres"
