"""What tests of several parts share in one worker: the reaper, the server and the engine that the
fixtures start for an adopter. Parts that test one of these themselves start their own."""

from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

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


class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # not typed
    """A file is one worker's, since its tests share what they start; a control shares nothing."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if "/controls/" in nodeid else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Ours; `--dist loadgroup` does nothing with pytest 9.2 (pytest-xdist issue 1386)."""
    return Scheduling(config, log)


_LONGEST_FIRST = ("wire", "containers", "sample_service", "frame", "backends", "benchmarks")
"""Parts whose files take long, so that no worker is left alone with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first, and a control after each of them while there are some:
    controls wait for most of their time, which leaves the machine to the others."""
    here = Path(__file__).parent
    files: dict[Path, list[pytest.Item]] = {}
    controls: list[list[pytest.Item]] = []
    for item in items:
        path = item.path.relative_to(here)
        if path.name == "test_controls.py":
            controls.append([item])
        else:
            files.setdefault(path, []).append(item)

    def place(path: Path) -> int:
        part = path.parts[0]
        return _LONGEST_FIRST.index(part) if part in _LONGEST_FIRST else len(_LONGEST_FIRST)

    ordered = [files[path] for path in sorted(files, key=place)]
    none: list[pytest.Item] = []
    pairs = zip_longest(ordered, controls, fillvalue=none)
    items[:] = [item for file, control in pairs for item in (*file, *control)]
