"""A driver of another language, behind the same few calls as Python's drivers.

A program holds one connection. Its first line of input is the DSN. Each further one is a request
`{"sql": "...", "args": [...]}` and is answered by one line: `{"rows": [[...]]}` or
`{"error": "...", "sqlstate": "..."}`, the latter empty where the server has said nothing. The
program ends with its input.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["Program", "ProgramError"]


class ProgramError(Exception):
    """What the driver has returned; `sqlstate` is empty where the server had said nothing."""

    def __init__(self, message: str, sqlstate: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class Program:
    """One connection, held by a process of its own."""

    parameter = "$1"
    command: Sequence[str | Path]

    async def connect(self, dsn: str) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
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
            raise ProgramError(answer["error"], answer.get("sqlstate", ""))
        return [tuple(row) for row in answer["rows"]]
