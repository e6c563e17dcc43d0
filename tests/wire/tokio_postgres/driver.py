"""tokio-postgres, a driver of Rust.

It needs Rust 1.85 or newer with cargo, and its crates from the registry the first time. Without
them its tests are skipped; BROWNOUT_REQUIRE_RUST=1 makes that a failure.
"""

import shutil
from functools import cache
from pathlib import Path

from tests.wire.build import command_failed, once, require
from tests.wire.program import Program

__all__ = ["TokioPostgres"]

_SOURCES = Path(__file__).parent
_BUILT = _SOURCES / "build"


@cache
def _build() -> str | None:
    """Build the program; why it cannot be, or None."""
    if shutil.which("cargo") is None:
        return "`cargo` is not on the PATH"
    return once(_BUILT, [_SOURCES / "Cargo.toml", _SOURCES / "src" / "main.rs"], _make)


def _make() -> str | None:
    return command_failed(_SOURCES, "cargo", "build", "--quiet", "--target-dir", _BUILT)


class TokioPostgres(Program):
    """One connection."""

    command = (_BUILT / "debug" / "run",)

    def __init__(self) -> None:
        require("tokio-postgres", "BROWNOUT_REQUIRE_RUST", _build())
