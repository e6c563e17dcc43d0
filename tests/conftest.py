"""What tests of several parts share in one worker: the reaper, the server and the engine that the
fixtures start for an adopter. Parts that test one of these themselves start their own."""

from pathlib import Path

import pytest

from brownout.backends.model import Backend
from brownout.engine import EngineProcess
from brownout.reaper import Reaper


@pytest.fixture(scope="session")
def reaper(brownout_reaper: Reaper) -> Reaper:
    """Removes what these tests made, should they be killed."""
    return brownout_reaper


@pytest.fixture(scope="session")
def server(brownout_backend: Backend) -> Backend:
    """A PostgreSQL server; a test may restart it, and otherwise leaves it as it was."""
    return brownout_backend


@pytest.fixture(scope="session")
def engine(brownout_engine: EngineProcess) -> EngineProcess:
    """The proxy in front of it; a test's proxies are gone after it."""
    return brownout_engine


_LONGEST_FIRST = ("wire", "containers", "sample_service", "frame", "backends", "benchmarks")
"""Parts whose files take long: each file is one worker's, and none is to be left alone at the end
with a long one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the parts whose files take longest before the others."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        part = item.path.relative_to(here).parts[0]
        return _LONGEST_FIRST.index(part) if part in _LONGEST_FIRST else len(_LONGEST_FIRST)

    items.sort(key=place)
