"""Builds a driver's program once for all workers, and says why it cannot be."""

import fcntl
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

__all__ = ["command_failed", "once", "require"]


def once(folder: Path, sources: Sequence[Path], make: Callable[[], str | None]) -> str | None:
    """Call `make` unless it has made `folder` of these sources; what it says, None if all is well.

    One worker calls it, and the others wait.
    """
    folder.mkdir(exist_ok=True)
    wanted = "\n".join(source.read_text("utf-8") for source in sources)
    made_from = folder / "made-from"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made_from.exists() and made_from.read_text("utf-8") == wanted:
            return None
        failure = make()
        if failure is None:
            made_from.write_text(wanted, "utf-8")
        return failure


def command_failed(folder: Path, *command: str | Path) -> str | None:
    """Run a command in `folder`; what it says if it fails, else None."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if not done.returncode:
        return None
    return f"`{' '.join(map(str, command))}` says: {(done.stderr or done.stdout).strip()}"


def require(driver: str, variable: str, missing: str | None) -> None:
    """Skip the test if something is missing; fail if the variable asks for it."""
    if missing is None:
        return
    if os.environ.get(variable) == "1":
        pytest.fail(f"{variable}=1, but {driver} cannot be used: {missing}")
    pytest.skip(f"{driver} cannot be used: {missing}")
