"""pgx, the driver of Go, behind the same few calls as Python's drivers.

Needs Go 1.23 or newer, and pgx from the module proxy at the first build. Without them its tests
are skipped; BROWNOUT_REQUIRE_PGX=1 makes that a failure.
"""

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Pgx", "PgxError"]

_SOURCES = Path(__file__).parent
_BUILT = _SOURCES / "build" / "pgx"


class PgxError(Exception):
    """What pgx has returned; `sqlstate` is empty where the server had said nothing."""

    def __init__(self, message: str, sqlstate: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


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


class Pgx:
    """One connection, held by a process of its own."""

    parameter = "$1"

    def __init__(self) -> None:
        missing = _build()
        if missing is not None:
            if os.environ.get("BROWNOUT_REQUIRE_PGX") == "1":
                pytest.fail(f"BROWNOUT_REQUIRE_PGX=1, but {missing}")
            pytest.skip(f"pgx needs Go 1.23 or newer and its modules: {missing}")

    async def connect(self, dsn: str) -> None:
        self._process = await asyncio.create_subprocess_exec(
            _BUILT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        await self._ask(dsn)

    async def run(self, sql: str, *parameters: object) -> list[Any]:
        return await self._ask(json.dumps({"sql": sql, "args": parameters}))

    async def close(self) -> None:
        _, stdin = self._pipes()
        stdin.close()
        await self._process.wait()

    def _pipes(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        stdout, stdin = self._process.stdout, self._process.stdin
        assert stdout is not None
        assert stdin is not None
        return stdout, stdin

    async def _ask(self, line: str) -> list[Any]:
        stdout, stdin = self._pipes()
        stdin.write(f"{line}\n".encode())
        await stdin.drain()
        answer = json.loads(await stdout.readline())
        if "error" in answer:
            raise PgxError(answer["error"], answer.get("sqlstate", ""))
        return [tuple(row) for row in answer["rows"]]
