"""What the tests of the backends share: folders that everybody may enter, a reaper, a server."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from brownout.backends.embedded import EmbeddedBackend
from brownout.reaper import Reaper


def _folder() -> Path:
    # pytest's own folders are 0700: PostgreSQL, as another user when we are root, cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="brownouttest-", dir="/var/tmp"))
    folder.chmod(0o755)
    return folder


@pytest.fixture
def scratch() -> Iterator[Path]:
    """An empty folder that every user may enter."""
    folder = _folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cache() -> Iterator[Path]:
    """A cache of prepared clusters for this session's tests."""
    folder = _folder()
    yield folder / "cache"
    shutil.rmtree(folder)


@pytest.fixture
def reaper() -> Iterator[Reaper]:
    with Reaper.start() as started:
        yield started


@pytest.fixture
def backend(reaper: Reaper, cache: Path) -> Iterator[EmbeddedBackend]:
    """A server that runs."""
    started = EmbeddedBackend(reaper, cache=cache)
    started.start()
    yield started
    started.stop()
