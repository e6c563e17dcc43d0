"""The sample service on Brownout's embedded PostgreSQL, with the engine in between."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from brownout.postgres import Postgres
from sample_service.migrate import migrate
from sample_service.observability import logs
from sample_service.settings import Settings
from tests.sample_service.shop import Shop, opened, patient


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> None:
    """Keep the application from configuring logging: this process is pytest's."""
    logs.configure = lambda: None


@pytest.fixture(scope="session")
def settings(brownout_postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The production settings, with shorter intervals where tests wait."""
    migrate(brownout_postgres.dsn)
    return Settings(
        database_url=SecretStr(brownout_postgres.dsn),
        health_interval=0.1,
        snapshot=tmp_path_factory.mktemp("shop") / "snapshot.sqlite3",
        snapshot_interval=0.1,
        drain_delay=0.2,
    )


@pytest_asyncio.fixture(loop_scope="session")
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    """An application with ample time."""
    async with opened(patient(settings)) as shop:
        yield shop


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root folder."""
    return Path(__file__).parents[2]
