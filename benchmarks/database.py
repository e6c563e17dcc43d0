"""An embedded PostgreSQL for benchmarks."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from brownout.backends.embedded import EmbeddedBackend
from brownout.login import Address, Login
from brownout.reaper import Reaper

__all__ = ["database", "through"]


@contextlib.contextmanager
def database() -> Iterator[Login]:
    """Run a server for the block; yields the administrator's login."""
    with Reaper.start() as reaper:
        backend = EmbeddedBackend(reaper)
        backend.start()
        try:
            yield backend.admin()
        finally:
            backend.stop()


def through(login: Login, port: int) -> str:
    """The login's DSN with another port of 127.0.0.1, for asyncpg and psycopg."""
    return replace(login, address=Address("127.0.0.1", port)).dsn
