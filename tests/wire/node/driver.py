"""node-postgres and postgres.js, the drivers of Node.js.

They need Node.js 18 or newer with npm, and both drivers from npm's registry the first time. Without
them their tests are skipped; BROWNOUT_REQUIRE_NODE=1 makes that a failure.
"""

import shutil
from functools import cache
from pathlib import Path

from tests.wire.build import command_failed, once, require
from tests.wire.program import Program

__all__ = ["NodePostgres", "PostgresJs"]

_HERE = Path(__file__).parent
_INSTALLED = _HERE / "build"
_SOURCES = [_HERE / name for name in ("package.json", "package-lock.json", "run.js")]


@cache
def _install() -> str | None:
    """Install the drivers; why they cannot be, or None."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "`node` and `npm` are not on the PATH"
    return once(_INSTALLED, _SOURCES, _make)


def _make() -> str | None:
    for source in _SOURCES:
        shutil.copyfile(source, _INSTALLED / source.name)
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
    return command_failed(_INSTALLED, "npm", "install", *quiet)


class _Node(Program):
    library: str

    def __init__(self) -> None:
        require("a driver of Node.js", "BROWNOUT_REQUIRE_NODE", _install())
        self.command = ("node", _INSTALLED / "run.js", self.library)


class NodePostgres(_Node):
    """The package pg, with pg-cursor and pg-copy-streams."""

    library = "pg"


class PostgresJs(_Node):
    """The package postgres."""

    library = "postgres"
