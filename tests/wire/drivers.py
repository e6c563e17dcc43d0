"""The drivers that must not be able to tell an injected error from the server's own."""

import itertools
from collections.abc import Callable
from typing import Any, Protocol, cast

import asyncpg
import psycopg
import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from tests.wire.node.driver import NodePostgres, PostgresJs
from tests.wire.pgx.driver import Pgx

__all__ = ["DRIVERS", "Driver", "connected", "insert", "sqlstate_of"]

DEADLINE = 10.0
_serial = itertools.count(1)


class Driver(Protocol):
    """One connection, in autocommit: transactions are begun and ended by SQL."""

    parameter: str

    async def connect(self, dsn: str) -> None: ...

    async def run(self, sql: str, *parameters: object) -> list[Any]: ...

    async def close(self) -> None: ...


class Asyncpg:
    parameter = "$1"

    async def connect(self, dsn: str) -> None:
        self._connection = await asyncpg.connect(dsn, timeout=DEADLINE, command_timeout=DEADLINE)

    async def run(self, sql: str, *parameters: object) -> list[Any]:
        if parameters:
            return [tuple(row) for row in await self._connection.fetch(sql, *parameters)]
        await self._connection.execute(sql)
        return []

    async def close(self) -> None:
        await self._connection.close(timeout=DEADLINE)


class Psycopg:
    parameter = "%s"

    async def connect(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True, connect_timeout=int(DEADLINE))

    async def run(self, sql: str, *parameters: object) -> list[Any]:
        cursor = self._connection.execute(cast("Any", sql), parameters or None)
        return cursor.fetchall() if cursor.description else []

    async def close(self) -> None:
        self._connection.close()


class PsycopgAsync:
    parameter = "%s"

    async def connect(self, dsn: str) -> None:
        self._connection = await psycopg.AsyncConnection.connect(
            dsn, autocommit=True, connect_timeout=int(DEADLINE)
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


DRIVERS: list[Callable[[], Driver]] = [
    Asyncpg,
    Psycopg,
    PsycopgAsync,
    PsycopgPipeline,
    SqlAlchemyAsyncpg,
    SqlAlchemyPsycopg,
    Pgx,
    NodePostgres,
    PostgresJs,
]


async def connected(kind: Callable[[], Driver], dsn: str) -> Driver:
    driver = kind()
    await driver.connect(dsn)
    return driver


async def insert(driver: Driver, number: int, *, note: str = "", simple: bool = False) -> None:
    """Insert a row, by a statement with a `note` in it, whose text no cache knows."""
    unique = f"/* {next(_serial)} {note} */"
    if simple:
        await driver.run(f"insert into kept {unique} values ({number})")  # noqa: S608
    else:
        sql = f"insert into kept {unique} values ({driver.parameter}) returning number"  # noqa: S608
        assert await driver.run(sql, number) == [(number,)]


def sqlstate_of(error: BaseException) -> str | None:
    """The SQLSTATE that a driver tells, whichever way it does."""
    while error is not None:
        code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        if code:
            return str(code)
        inner = getattr(error, "orig", None) or error.__cause__
        if inner is None:
            return None
        error = inner
    return None
