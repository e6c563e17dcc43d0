"""A PostgreSQL for benchmarks: the embedded one."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from brownout.backends.embedded import EmbeddedBackend
from brownout.login import Address, Login
from brownout.reaper import Reaper

__all__ = ["database", "through"]


@contextlib.contextmanager
def database() -> Iterator[Login]:
    """A server that lasts for the block; its administrator's login."""
    with Reaper.start() as reaper:
        backend = EmbeddedBackend(reaper)
        backend.start()
        try:
            yield backend.admin()
        finally:
            backend.stop()


def through(login: Login, port: int) -> str:
    """The login's DSN by another port of 127.0.0.1; asyncpg and psycopg take it."""
    return replace(login, address=Address("127.0.0.1", port)).dsn
