"""The drivers of Python."""

import asyncio
from collections.abc import Sequence
from io import BytesIO
from typing import Any, cast

import asyncpg
import psycopg
import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

__all__ = [
    "Asyncpg",
    "Psycopg",
    "PsycopgAsync",
    "PsycopgPipeline",
    "SqlAlchemyAsyncpg",
    "SqlAlchemyPsycopg",
]

_DEADLINE = 10.0


class Asyncpg:
    parameter = "$1"

    async def connect(self, dsn: str) -> None:
        self._connection = await asyncpg.connect(dsn, timeout=_DEADLINE, command_timeout=_DEADLINE)
        self._notifications: asyncio.Queue[str] = asyncio.Queue()

    async def run(self, sql: str, *parameters: object) -> list[Any]:
        if parameters:
            return [tuple(row) for row in await self._connection.fetch(sql, *parameters)]
        await self._connection.execute(sql)
        return []

    async def batch(self, sql: str, numbers: Sequence[int]) -> None:
        await self._connection.executemany(sql, [(number,) for number in numbers])

    async def fetch(self, sql: str, size: int) -> tuple[list[Any], Exception | None]:
        rows = []
        try:
            async with self._connection.transaction():
                async for row in self._connection.cursor(sql, prefetch=size):
                    rows.append(tuple(row))  # noqa: PERF401 (those that came before an error count)
        except asyncpg.PostgresError as error:
            return rows, error
        return rows, None

    async def copy_in(self, table: str, data: str) -> None:
        await self._connection.copy_to_table(table, source=BytesIO(data.encode()))

    async def copy_out(self, table: str) -> str:
        data = BytesIO()
        await self._connection.copy_from_table(table, output=data)
        return data.getvalue().decode()

    async def listen(self, channel: str) -> None:
        def heard(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            self._notifications.put_nowait(str(payload))

        await self._connection.add_listener(channel, heard)

    async def notified(self) -> str:
        async with asyncio.timeout(_DEADLINE):
            return await self._notifications.get()

    async def close(self) -> None:
        await self._connection.close(timeout=_DEADLINE)


class Psycopg:
    parameter = "%s"

    async def connect(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True, connect_timeout=int(_DEADLINE))

    async def run(self, sql: str, *parameters: object) -> list[Any]:
        cursor = self._connection.execute(cast("Any", sql), parameters or None)
        return cursor.fetchall() if cursor.description else []

    async def fetch(self, sql: str, size: int) -> tuple[list[Any], Exception | None]:
        """By a cursor of SQL: libpq has no portals with a limit."""
        rows: list[Any] = []
        try:
            with self._connection.transaction(), self._connection.cursor("c") as cursor:
                cursor.itersize = size
                for row in cursor.execute(cast("Any", sql)):
                    rows.append(row)  # noqa: PERF402 (those that came before an error count)
        except psycopg.Error as error:
            return rows, error
        return rows, None

    async def copy_in(self, table: str, data: str) -> None:
        words = cast("Any", f"copy {table} from stdin")
        with self._connection.cursor() as cursor, cursor.copy(words) as copy:
            copy.write(data)

    async def copy_out(self, table: str) -> str:
        words = cast("Any", f"copy {table} to stdout")
        with self._connection.cursor() as cursor, cursor.copy(words) as copy:
            return b"".join(copy).decode()

    async def listen(self, channel: str) -> None:
        self._connection.execute(cast("Any", f'listen "{channel}"'))

    async def notified(self) -> str:
        [told] = self._connection.notifies(timeout=_DEADLINE, stop_after=1)
        return told.payload

    async def close(self) -> None:
        self._connection.close()


class PsycopgAsync:
    parameter = "%s"

    async def connect(self, dsn: str) -> None:
        self._connection = await psycopg.AsyncConnection.connect(
            dsn, autocommit=True, connect_timeout=int(_DEADLINE)
        )

    async def run(self, sql: str, *parameters: object) -> list[Any]:
        cursor = await self._connection.execute(cast("Any", sql), parameters or None)
        return await cursor.fetchall() if cursor.description else []

    async def close(self) -> None:
        await self._connection.close()


class PsycopgPipeline(Psycopg):
    async def run(self, sql: str, *parameters: object) -> list[Any]:
        with self._connection.pipeline():
            cursor = self._connection.execute(cast("Any", sql), parameters or None)
        return cursor.fetchall() if cursor.description else []

    async def batch(self, sql: str, numbers: Sequence[int]) -> None:
        # After an error psycopg takes a statement for prepared whose Parse the server has skipped.
        with self._connection.pipeline():
            for number in numbers:
                self._connection.execute(cast("Any", sql), [number], prepare=False)


class _SqlAlchemy:
    scheme: str
    _engine: AsyncEngine
    _connection: AsyncConnection

    async def connect(self, dsn: str) -> None:
        url = sqlalchemy.make_url(dsn).set(drivername=self.scheme)
        self._engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection = await self._engine.connect()

    async def run(self, sql: str, *parameters: object) -> list[Any]:
        result = await self._connection.exec_driver_sql(sql, parameters or None)
        return list(result.fetchall()) if result.returns_rows else []

    async def close(self) -> None:
        await self._connection.close()
        await self._engine.dispose()


class SqlAlchemyAsyncpg(_SqlAlchemy):
    scheme = "postgresql+asyncpg"
    parameter = "$1"


class SqlAlchemyPsycopg(_SqlAlchemy):
    scheme = "postgresql+psycopg"
    parameter = "%s"
