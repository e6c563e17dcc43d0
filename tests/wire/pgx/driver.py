"""pgx, the driver of Go, behind the same few calls as Python's drivers.

Needs Go 1.23 or newer, and pgx from the module proxy at the first build. Without them its tests
are skipped; BROWNOUT_REQUIRE_PGX=1 makes that a failure.
"""

import fcntl
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.wire.program import Program

__all__ = ["Pgx"]

_SOURCES = Path(__file__).parent
_BUILT = _SOURCES / "build" / "pgx"


@cache
def _build() -> str | None:
    """Build the program; why it cannot be, or None."""
    go = shutil.which("go")
    if go is None:
        return "`go` is not on the PATH"
    _BUILT.parent.mkdir(exist_ok=True)
    # One worker builds and the others wait: Go links nothing anew that is up to date.
    with _BUILT.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [go, "build", "-buildvcs=false", "-o", str(_BUILT), "."]
        done = subprocess.run(command, cwd=_SOURCES, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"`go build` in {_SOURCES} says: {done.stderr.strip()}"
    return None


class Pgx(Program):
    """One connection, held by a process of its own."""

    command = (_BUILT,)

    def __init__(self) -> None:
        missing = _build()
        if missing is not None:
            if os.environ.get("BROWNOUT_REQUIRE_PGX") == "1":
                pytest.fail(f"BROWNOUT_REQUIRE_PGX=1, but {missing}")
            pytest.skip(f"pgx needs Go 1.23 or newer and its modules: {missing}")
