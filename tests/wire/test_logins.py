"""However a session logs in, it is followed: by password in the clear, md5, SCRAM, or trusted."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
from psycopg import sql

from brownout.faults import ServerError, Statement
from brownout.login import Login
from brownout.postgres import Postgres

pytestmark = pytest.mark.asyncio(loop_scope="session")

METHODS = ["trust", "password", "md5", "scram-sha-256"]
PATIENCE = 10.0
SECRET = "only-for-this-test"  # noqa: S105 (the role lives as long as the test)


def _reload(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Returns when the postmaster has read its files: it tells its children afterwards."""
    loaded = "select pg_conf_load_time()"
    before = connection.execute(loaded).fetchone()
    connection.execute("select pg_reload_conf()")
    deadline = time.monotonic() + PATIENCE
    while connection.execute(loaded).fetchone() == before:
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture(params=METHODS)
def login(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[Login]:
    """A role of its own, which the server lets in by one method only."""
    method: str = request.param
    role = f"{postgres.admin.database}_{method.partition('-')[0]}"
    stored = "md5" if method == "md5" else "scram-sha-256"
    [[named]] = postgres.query("show hba_file")
    file = Path(named)
    before = file.read_text("utf-8")
    with postgres.admin.connect() as connection:
        connection.execute(sql.SQL("set password_encryption = {}").format(stored))
        connection.execute(
            sql.SQL("create role {} login password {}").format(sql.Identifier(role), SECRET)
        )
        file.write_text(f'host all "{role}" 127.0.0.1/32 {method}\n{before}', "utf-8")
        _reload(connection)
        password = "" if method == "trust" else SECRET
        yield replace(postgres.login, user=role, password=password)
        file.write_text(before, "utf-8")
        _reload(connection)
        connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = %s",
            [role],
        )
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


async def test_a_session_is_followed_however_it_logged_in(login: Login, postgres: Postgres) -> None:
    address = login.address
    connection = await asyncpg.connect(
        host=address.host,
        port=address.port,
        user=login.user,
        password=login.password or None,
        database=login.database,
    )
    fault = ServerError("40001", on=Statement("select 1"), times=1)
    with postgres.inject(fault), pytest.raises(asyncpg.SerializationError):
        await connection.fetchval("select 1")
    assert await connection.fetchval("select 1") == 1
    await connection.close()


async def test_libpq_too(login: Login, postgres: Postgres) -> None:
    fault = ServerError("40001", on=Statement("select 1"), times=1)
    with psycopg.connect(
        host=login.address.host,
        port=login.address.port,
        user=login.user,
        password=login.password or None,
        dbname=login.database,
        autocommit=True,
    ) as connection:
        with postgres.inject(fault), pytest.raises(psycopg.errors.SerializationFailure):
            connection.execute("select 1")
        assert connection.execute("select 1").fetchone() == (1,)
