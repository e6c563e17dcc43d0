"""The cache of prepared clusters: whole or not at all, shared, and nobody else's."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from brownout.backends.choice import chosen_backend
from brownout.backends.embedded import EmbeddedBackend
from brownout.backends.embedded import cache as module
from brownout.backends.embedded.cache import Cache
from brownout.errors import BackendUnavailable
from brownout.reaper import Reaper
from brownout.settings.resolution import Layers, resolve
from tests.backends.waiting import leftovers, until

OWNER = Path(__file__).with_name("owner.py")


def test_an_entry_is_made_once(reaper: Reaper, scratch: Path) -> None:
    cache = Cache(scratch / "cache", reaper)
    cache.open()
    made: list[Path] = []
    for _ in range(3):
        with cache.entry("thing", made.append) as entry:
            assert entry.is_dir()

    assert len(made) == 1


def test_what_is_half_made_is_never_used(reaper: Reaper, scratch: Path) -> None:
    cache = Cache(scratch / "cache", reaper)
    cache.open()

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise BackendUnavailable("initdb failed")

    with pytest.raises(BackendUnavailable, match="initdb failed"), cache.entry("thing", fail):
        pass

    with cache.entry("thing", lambda folder: (folder / "whole").touch()) as entry:
        assert [path.name for path in entry.iterdir()] == ["whole"]


def test_entries_that_nobody_uses_are_removed_in_the_end(reaper: Reaper, scratch: Path) -> None:
    cache = Cache(scratch / "cache", reaper)
    cache.open()
    with cache.entry("old", lambda _: None) as old:
        pass
    long_ago = time.time() - 8 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    with cache.entry("new", lambda _: None) as new:
        assert new.is_dir()

    assert not old.exists()


def test_a_cold_cache_is_shared_by_workers_that_start_at_once(scratch: Path) -> None:
    command = [sys.executable, str(OWNER), str(scratch / "cache")]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    tokens = []
    for worker in workers:
        assert worker.stdout is not None
        tokens.append(worker.stdout.readline().strip())
        assert worker.stdout.readline() == "restarted\n"
    clusters = list((scratch / "cache").glob("cluster-*"))
    for worker in workers:
        worker.kill()
        worker.communicate()

    assert len(clusters) == 1
    assert until(lambda: not any(leftovers(token) for token in tokens))


def test_a_link_in_its_place_is_refused(reaper: Reaper, scratch: Path) -> None:
    (scratch / "elsewhere").mkdir()
    (scratch / "cache").symlink_to(scratch / "elsewhere")

    with pytest.raises(BackendUnavailable, match="cannot be used") as raised:
        EmbeddedBackend(reaper, cache=scratch / "cache").start()

    assert str(scratch / "cache") in str(raised.value)
    assert not list((scratch / "elsewhere").iterdir())


def test_a_folder_that_others_may_write_is_refused(reaper: Reaper, scratch: Path) -> None:
    (scratch / "cache").mkdir()
    (scratch / "cache").chmod(0o777)

    with pytest.raises(BackendUnavailable, match="others may write into it"):
        EmbeddedBackend(reaper, cache=scratch / "cache").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_somebody_elses_folder_is_refused(reaper: Reaper, scratch: Path) -> None:
    (scratch / "cache").mkdir()
    os.chown(scratch / "cache", 4242, 4242)

    with pytest.raises(BackendUnavailable, match="belongs to the user with id 4242"):
        EmbeddedBackend(reaper, cache=scratch / "cache").start()


def test_a_file_in_its_place_is_refused(reaper: Reaper, scratch: Path) -> None:
    (scratch / "cache").touch()

    with pytest.raises(BackendUnavailable, match="cannot be used"):
        EmbeddedBackend(reaper, cache=scratch / "cache").start()


def test_the_lock_is_no_link(reaper: Reaper, scratch: Path) -> None:
    cache = Cache(scratch / "cache", reaper)
    cache.open()
    (scratch / "cache" / "lock").symlink_to(scratch / "victim")

    with pytest.raises(BackendUnavailable), cache.entry("thing", lambda _: None):
        pass

    assert not (scratch / "victim").exists()


def test_a_stuck_neighbour_is_told(
    reaper: Reaper, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(scratch / "cache", reaper)
    cache.open()
    monkeypatch.setattr(module, "_PATIENCE", 0.05)

    with (
        cache.entry("thing", lambda _: None),
        pytest.raises(BackendUnavailable, match="has held its lock"),
        cache.entry("other", lambda _: None),
    ):
        pass


def test_its_password_is_ours_alone(reaper: Reaper, cache: Path) -> None:
    backend = EmbeddedBackend(reaper, cache=cache)
    backend.start()
    backend.stop()

    logins = list(cache.glob("cluster-*/login.json"))
    assert logins
    for login in logins:
        assert stat.S_IMODE(login.stat().st_mode) == 0o600
        assert login.stat().st_uid == os.geteuid()
    assert not list(cache.glob("cluster-*/secret"))


def test_the_default_is_one_folder_for_each_user() -> None:
    assert module.default_cache().name == f"brownout-cache-{os.geteuid()}"


def test_an_option_chooses_its_place(reaper: Reaper, scratch: Path) -> None:
    layers = Layers(
        command_line={"cache": str(scratch / "mine")},
        environment={}, ini={}, ini_file=scratch / "pytest.ini", invoked_in=scratch,
    )  # fmt: skip
    backend = chosen_backend(resolve(layers), reaper)
    assert isinstance(backend, EmbeddedBackend)
    assert backend._cache.folder == scratch / "mine"
