"""The drivers that must not be able to tell an injected error from the server's own."""

import contextlib
import itertools
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import pytest

from tests.wire.jdbc.driver import HikariCp, PgJdbc
from tests.wire.node.driver import NodePostgres, PostgresJs
from tests.wire.pgx.driver import Pgx
from tests.wire.python_drivers import (
    Asyncpg,
    Psycopg,
    PsycopgAsync,
    PsycopgPipeline,
    SqlAlchemyAsyncpg,
    SqlAlchemyPsycopg,
)
from tests.wire.tokio_postgres.driver import TokioPostgres

__all__ = [
    "BATCHING",
    "COPYING",
    "DRIVERS",
    "FETCHING",
    "LISTENING",
    "Asyncpg",
    "Batching",
    "Copying",
    "Driver",
    "Fetching",
    "HikariCp",
    "Listening",
    "PgJdbc",
    "Psycopg",
    "PsycopgPipeline",
    "TokioPostgres",
    "connected",
    "drop",
    "insert",
    "sqlstate_of",
    "true_end",
]

_serial = itertools.count(1)


class Driver(Protocol):
    """One connection, in autocommit: transactions are begun and ended by SQL."""

    parameter: str

    async def connect(self, dsn: str) -> None: ...

    async def run(self, sql: str, *parameters: object) -> list[Any]: ...

    async def close(self) -> None: ...


class Batching(Driver, Protocol):
    """Sends several requests before it awaits a reply."""

    async def batch(self, sql: str, numbers: Sequence[int]) -> None:
        """Run the statement with each number."""


class Fetching(Driver, Protocol):
    """Reads rows some at a time."""

    async def fetch(self, sql: str, size: int) -> tuple[list[Any], Exception | None]:
        """The rows that came, `size` at a time, in a transaction; and the error that ended it."""


class Copying(Driver, Protocol):
    """Sends and reads COPY's text format."""

    async def copy_in(self, table: str, data: str) -> None: ...

    async def copy_out(self, table: str) -> str: ...


class Listening(Driver, Protocol):
    """Hears notifications."""

    async def listen(self, channel: str) -> None: ...

    async def notified(self) -> str:
        """The payload of the next notification."""


_Driver = TypeVar("_Driver", bound=Driver)

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
    PgJdbc,
    TokioPostgres,
]
BATCHING: list[Callable[[], Batching]] = [
    Asyncpg,
    PsycopgPipeline,
    Pgx,
    PostgresJs,
    PgJdbc,
    TokioPostgres,
]
FETCHING: list[Callable[[], Fetching]] = [
    Asyncpg,
    Psycopg,
    NodePostgres,
    PostgresJs,
    PgJdbc,
    TokioPostgres,
]
COPYING: list[Callable[[], Copying]] = [
    Asyncpg,
    Psycopg,
    Pgx,
    NodePostgres,
    PgJdbc,
    TokioPostgres,
]
LISTENING: list[Callable[[], Listening]] = [
    Asyncpg,
    Psycopg,
    Pgx,
    NodePostgres,
    PostgresJs,
    PgJdbc,
    TokioPostgres,
]


async def connected(kind: Callable[[], _Driver], dsn: str) -> _Driver:
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


async def drop(driver: Driver) -> None:
    """Close what is broken already."""
    with contextlib.suppress(Exception):
        await driver.close()


async def true_end(kind: Callable[[], Driver], dsn: str) -> tuple[type, str | None]:
    """What the driver makes of a session that the server itself has ended with 57P01."""
    driver = await connected(kind, dsn)
    with pytest.raises(Exception) as end:  # noqa: PT011
        await driver.run("select pg_terminate_backend(pg_backend_pid())")
    await drop(driver)
    return type(end.value), sqlstate_of(end.value)


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
