"""Connecting through a proxy with TLS, as services do."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import psycopg
from psycopg.conninfo import make_conninfo

from brownout.control import ProxyRecord
from brownout.login import Login, connect
from tests.wire.tls.certificates import Certificates

__all__ = ["DEADLINE", "DIRECT", "SLEEPS", "by_asyncpg", "by_libpq", "cancelled", "encrypted"]

DEADLINE = 10.0
SLEEPS = "select pg_sleep(60)"
DIRECT = psycopg.pq.version() >= 170000
"""Whether libpq can begin with TLS, and encrypts its cancel requests."""


def by_libpq(
    proxy: ProxyRecord, login: Login, **parameters: Any
) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection in autocommit; `parameters` are libpq's."""
    conninfo = make_conninfo(
        host="localhost", hostaddr=proxy.host, port=proxy.port, user=login.user,
        password=login.password, dbname=login.database, connect_timeout=int(DEADLINE),
        **parameters,
    )  # fmt: skip
    return psycopg.connect(conninfo, autocommit=True)


async def by_asyncpg(
    proxy: ProxyRecord, login: Login, certificates: Certificates | None
) -> "asyncpg.Connection[asyncpg.Record]":
    """With `certificates` as `verify-full` does it, without TLS otherwise."""
    trust: ssl.SSLContext | bool = False
    if certificates is not None:
        trust = ssl.create_default_context(cafile=str(certificates.ca))
    return await asyncpg.connect(
        host="localhost", port=proxy.port, user=login.user, password=login.password,
        database=login.database, ssl=trust, timeout=DEADLINE, command_timeout=DEADLINE,
    )  # fmt: skip


def encrypted(connection: psycopg.Connection[tuple[Any, ...]]) -> tuple[bool, bool]:
    """Whether the client's way to the engine is, and the engine's to the server."""
    row = connection.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone()
    return bool(connection.pgconn.ssl_in_use), row == (True,)


@contextmanager
def cancelled(connection: psycopg.Connection[tuple[Any, ...]], login: Login) -> Iterator[None]:
    """Cancel the statement `SLEEPS`, which runs in the block, once the server carries it out: the
    server ignores a cancel request that comes before the statement."""
    sleeping = "select from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"
    pid = connection.info.backend_pid

    def cancel() -> None:
        deadline = time.monotonic() + DEADLINE
        with connect(login.libpq) as beside:
            while beside.execute(sleeping, [pid]).fetchone() is None:
                assert time.monotonic() < deadline, "the server does not sleep"
                time.sleep(0.01)
        connection.cancel_safe(timeout=DEADLINE)

    canceller = threading.Thread(target=cancel)
    canceller.start()
    try:
        yield
    finally:
        canceller.join()
