"""A database with a table that only the test writes to, on any backend."""

from collections.abc import Iterator
from contextlib import contextmanager

from brownout.backends.model import Backend
from brownout.control import EngineProcess
from brownout.postgres import Postgres

__all__ = ["emptied", "with_kept"]


@contextmanager
def with_kept(backend: Backend, engine: EngineProcess) -> Iterator[Postgres]:
    """Made, with its table `kept (number int)`; healed and dropped at the end."""
    one = Postgres(backend, engine.client, name=Postgres.new_name())
    one.create()
    with one.admin.connect() as connection:
        connection.execute("create table kept (number int)")
        connection.execute("grant all on kept to public")
    yield one
    one.heal()
    one.drop()


def emptied(database: Postgres) -> Iterator[Postgres]:
    """For a fixture: the table empty before a test, and everything healed after it."""
    # A test that failed may have left a connection that holds a lock.
    database.admin.terminate_sessions()
    database.query("truncate kept")
    yield database
    database.heal()
