"""What the tests of the backends share: folders that everybody may enter, a reaper, a server."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from brownout.backends.embedded import EmbeddedBackend
from brownout.reaper import Reaper

MEMORY = Path("/dev/shm")  # noqa: S108


def _folder(reaper: Reaper) -> Path:
    # pytest's own folders are 0700: PostgreSQL, as another user when we are root, cannot enter.
    # In memory where there is room: removing a cluster's thousand files from a busy disk is slow.
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2 * 2**30
    folder = Path(tempfile.mkdtemp(prefix="brownouttest-", dir=MEMORY if roomy else "/var/tmp"))  # noqa: S108
    reaper.remove_folder(folder)
    folder.chmod(0o755)
    return folder


@pytest.fixture
def scratch(reaper: Reaper) -> Iterator[Path]:
    """An empty folder that every user may enter."""
    folder = _folder(reaper)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cache(reaper: Reaper) -> Iterator[Path]:
    """A cache of prepared clusters for this session's tests."""
    folder = _folder(reaper)
    yield folder / "cache"
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def reaper() -> Iterator[Reaper]:
    """One for the tests that only need some reaper; those about reapers start their own."""
    with Reaper.start() as started:
        yield started


@pytest.fixture(scope="module")
def running(reaper: Reaper, cache: Path) -> Iterator[EmbeddedBackend]:
    """A server for the tests that leave it as it was."""
    started = EmbeddedBackend(reaper, cache=cache)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def backend(cache: Path) -> Iterator[EmbeddedBackend]:
    """A server and a reaper for a test of its own."""
    with Reaper.start() as reaper:
        started = EmbeddedBackend(reaper, cache=cache)
        started.start()
        yield started
        started.stop()
