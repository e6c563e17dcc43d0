"""Connecting through a proxy with TLS, as services do."""

import ssl
from typing import Any

import asyncpg
import psycopg
from psycopg.conninfo import make_conninfo

from brownout.control import ProxyRecord
from brownout.login import Login
from tests.wire.tls.certificates import Certificates

__all__ = ["DEADLINE", "DIRECT", "by_asyncpg", "by_libpq", "encrypted"]

DEADLINE = 10.0
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
