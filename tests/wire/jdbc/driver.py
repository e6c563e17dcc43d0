"""pgJDBC, the driver of Java, alone and in a pool of HikariCP.

They need a JDK, 17 or newer, and Maven, which fetches both the first time. Without them their
tests are skipped; BROWNOUT_REQUIRE_JAVA=1 makes that a failure.
"""

import shutil
from functools import cache
from pathlib import Path

from tests.wire.build import command_failed, once, require
from tests.wire.program import Program

__all__ = ["HikariCp", "PgJdbc"]

_SOURCES = Path(__file__).parent
_BUILT = _SOURCES / "build"
_QUICK_START = ["-XX:TieredStopAtLevel=1", "-Xmx64m"]


@cache
def _build() -> str | None:
    """Fetch the libraries and compile the program; why that cannot be done, or None."""
    programs = [shutil.which(name) for name in ("java", "javac", "mvn")]
    if None in programs:
        return "`java`, `javac` and `mvn` are not all on the PATH"
    return once(_BUILT, [_SOURCES / "pom.xml", _SOURCES / "Run.java"], _make)


def _make() -> str | None:
    libraries = _BUILT / "libraries"
    shutil.rmtree(libraries, ignore_errors=True)  # of other versions
    fetch = ["dependency:copy-dependencies", f"-DoutputDirectory={libraries}"]
    compiled = ["-proc:none", "-cp", f"{libraries}/*", "-d", str(_BUILT), "Run.java"]
    return command_failed(_SOURCES, "mvn", "-B", "-q", *fetch) or command_failed(
        _SOURCES, "javac", *compiled
    )


class PgJdbc(Program):
    """One connection."""

    parameter = "?"
    mode: tuple[str, ...] = ()

    def __init__(self) -> None:
        require("pgJDBC", "BROWNOUT_REQUIRE_JAVA", _build())
        path = f"{_BUILT}:{_BUILT / 'libraries'}/*"
        self.command = ["java", *_QUICK_START, "-cp", path, "Run", *self.mode]


class HikariCp(PgJdbc):
    """A pool of one, which lends its connection to each request."""

    mode = ("pool",)
