"""A PostgreSQL server behind a framed proxy, and a table that only the test writes to."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from brownout.backends.embedded import EmbeddedBackend
from brownout.engine import EngineProcess
from brownout.postgres import Postgres
from brownout.reaper import Reaper
from tests.wire.kept import emptied, with_kept


@pytest.fixture(scope="session")
def reaper() -> Iterator[Reaper]:
    with Reaper.start() as started:
        yield started


@pytest.fixture(scope="session")
def engine(reaper: Reaper) -> Iterator[EngineProcess]:
    with EngineProcess.start(reaper.environment) as process:
        yield process


@pytest.fixture(scope="session")
def server(reaper: Reaper) -> Iterator[EmbeddedBackend]:
    # pytest's own folders are 0700: PostgreSQL, as another user when we are root, cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="brownouttest-", dir="/var/tmp"))
    folder.chmod(0o755)
    backend = EmbeddedBackend(reaper, cache=folder / "cache")
    backend.start()
    yield backend
    backend.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def database(server: EmbeddedBackend, engine: EngineProcess) -> Iterator[Postgres]:
    with with_kept(server, engine) as one:
        yield one


@pytest.fixture
def postgres(database: Postgres) -> Iterator[Postgres]:
    yield from emptied(database)


@pytest.fixture
def proxy(postgres: Postgres) -> str:
    """The name of the proxy that leads to the database."""
    return postgres.admin.database
