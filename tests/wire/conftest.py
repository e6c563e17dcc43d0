"""A PostgreSQL server behind a framed proxy, and a table that only the test writes to."""

from collections.abc import Iterator

import pytest

from brownout.backends.model import Backend
from brownout.control import EngineProcess
from brownout.postgres import Postgres
from tests.wire.kept import emptied, with_kept


@pytest.fixture(scope="session")
def database(server: Backend, engine: EngineProcess) -> Iterator[Postgres]:
    with with_kept(server, engine) as one:
        yield one


@pytest.fixture
def postgres(database: Postgres) -> Iterator[Postgres]:
    yield from emptied(database)


@pytest.fixture
def proxy(postgres: Postgres) -> str:
    """The name of the proxy that leads to the database."""
    return postgres.admin.database
