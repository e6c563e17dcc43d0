"""pgx, the driver of Go.

Needs Go 1.23 or newer, and pgx from the module proxy at the first build. Without them its tests
are skipped; BROWNOUT_REQUIRE_PGX=1 makes that a failure.
"""

import shutil
from functools import cache
from pathlib import Path

from tests.wire.build import command_failed, once, require
from tests.wire.program import Program

__all__ = ["Pgx"]

_SOURCES = Path(__file__).parent
_BUILT = _SOURCES / "build"


@cache
def _build() -> str | None:
    """Build the program; why it cannot be, or None."""
    if shutil.which("go") is None:
        return "`go` is not on the PATH"
    return once(_BUILT, [_SOURCES / name for name in ("go.mod", "go.sum", "main.go")], _make)


def _make() -> str | None:
    return command_failed(_SOURCES, "go", "build", "-buildvcs=false", "-o", _BUILT / "pgx", ".")


class Pgx(Program):
    """One connection."""

    command = (_BUILT / "pgx",)

    def __init__(self) -> None:
        require("pgx", "BROWNOUT_REQUIRE_PGX", _build())
