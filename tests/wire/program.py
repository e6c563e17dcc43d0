"""A driver of another language, behind the same few calls as Python's drivers.

A program holds one connection. Its first line of input is the DSN. Each further one is a request
in JSON, whose `do` is one of

- `run`: `sql` with the numbers `args`; without numbers it is a simple query, if the driver has one
- `batch`: `sql` with each of the numbers `args`, all sent before a reply is awaited
- `fetch`: the rows of `sql`, `size` at a time, in a transaction
- `copy in`, `copy out`: `sql`, to which the text `data` belongs, or whose text is the answer
- `listen`: to the channel `sql`
- `notified`: the text of the next notification, from any channel

A program can do what its driver can. Each request is answered by one line: `{"rows": [[...]]}`, or
`{"error": "...", "sqlstate": "..."}`, the latter empty where the server has said nothing. A `fetch`
that fails answers with the rows that came, too. The program ends with its input.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["Program", "ProgramError"]


class ProgramError(Exception):
    """What the driver has returned; `sqlstate` is empty where the server had said nothing."""

    def __init__(self, message: str, sqlstate: str, rows: list[Any]) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.rows = rows


class Program:
    """One connection, held by a process of its own."""

    parameter = "$1"
    command: Sequence[str | Path]

    async def connect(self, dsn: str) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        await self._answer(dsn)

    async def run(self, sql: str, *parameters: object) -> list[Any]:
        return await self._ask("run", sql=sql, args=parameters)

    async def batch(self, sql: str, numbers: Sequence[int]) -> None:
        await self._ask("batch", sql=sql, args=numbers)

    async def fetch(self, sql: str, size: int) -> tuple[list[Any], Exception | None]:
        try:
            return await self._ask("fetch", sql=sql, size=size), None
        except ProgramError as error:
            return error.rows, error

    async def copy_in(self, table: str, data: str) -> None:
        await self._ask("copy in", sql=f"copy {table} from stdin", data=data)

    async def copy_out(self, table: str) -> str:
        [(data,)] = await self._ask("copy out", sql=f"copy {table} to stdout")
        return str(data)

    async def listen(self, channel: str) -> None:
        await self._ask("listen", sql=channel)

    async def notified(self) -> str:
        [(payload,)] = await self._ask("notified")
        return str(payload)

    async def close(self) -> None:
        _, stdin = self._pipes()
        stdin.close()
        await self._process.wait()

    def _pipes(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        stdout, stdin = self._process.stdout, self._process.stdin
        assert stdout is not None
        assert stdin is not None
        return stdout, stdin

    async def _ask(self, do: str, **request: object) -> list[Any]:
        return await self._answer(json.dumps({"do": do, **request}))

    async def _answer(self, line: str) -> list[Any]:
        stdout, stdin = self._pipes()
        stdin.write(f"{line}\n".encode())
        await stdin.drain()
        answer = json.loads(await stdout.readline())
        rows = [tuple(row) for row in answer.get("rows") or []]
        if "error" in answer:
            raise ProgramError(answer["error"], answer.get("sqlstate", ""), rows)
        return rows
