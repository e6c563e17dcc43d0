"""The same as an ordinary user; where the tests run as root, through another interpreter.

Root's own interpreter and this checkout may lie below a folder that other users cannot enter: the
packages are copied to where an ordinary user can read them.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from brownout.backends.embedded.account import choose_account
from tests.backends.installations import copy_packages, copy_wheel
from tests.backends.waiting import leftovers, until

SYSTEM_PYTHON = Path("/usr/bin/python3")
PACKAGES = ("brownout", "psutil", "psycopg", "psycopg_binary", "typing_extensions")
"""What the script imports, beside the standard library."""

SCRIPT = """
import os, sys
from pathlib import Path
import psycopg
from brownout.backends.embedded import EmbeddedBackend
from brownout.errors import BackendUnavailable
from brownout.reaper import Reaper
cache = Path(sys.argv[1])
with Reaper.start() as reaper:
    print(reaper.run, flush=True)
    for _ in ("cold", "warm"):
        backend = EmbeddedBackend(reaper, cache=cache)
        backend.start()
        with psycopg.connect(backend.admin().dsn, autocommit=True) as session:
            session.execute("create table if not exists t (n int)")
        backend.restart()
        with psycopg.connect(backend.admin().dsn) as session:
            session.execute("select from t")
        backend.stop()
    entry = next(cache.glob("cluster-*"))
    entry.chmod(0)
    try:
        EmbeddedBackend(reaper, cache=cache).start()
    except BackendUnavailable as error:
        print("told:", str(error).replace(chr(10), " "))
    entry.chmod(0o755)
    cache.chmod(0)
    try:
        EmbeddedBackend(reaper, cache=cache).start()
    except BackendUnavailable as error:
        print("told:", str(error).replace(chr(10), " "))
    cache.chmod(0o755)
    print("as", os.geteuid())
"""


def interpreter() -> str:
    """One that an ordinary user can run; it must be of our version, for our compiled packages."""
    if os.geteuid() != 0:
        return sys.executable
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    asked = [str(SYSTEM_PYTHON), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    if not SYSTEM_PYTHON.exists():
        pytest.skip(f"there is no {SYSTEM_PYTHON}, and only root can run {sys.executable}")
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    if found != version:
        pytest.skip(f"{SYSTEM_PYTHON} is {found}, not {version}")
    return str(SYSTEM_PYTHON)


def test_an_ordinary_user_gets_the_same(scratch: Path) -> None:
    account = choose_account({})
    folder = scratch / "of-the-user"
    folder.mkdir(mode=0o755)
    account.own(folder)
    python = interpreter()
    paths = sys.path
    if account.switches:
        packages = scratch / "packages"
        packages.mkdir()
        copy_packages(packages, *PACKAGES)
        copy_wheel(packages, "pginstall18")
        paths = [str(packages)]
    done = subprocess.run(
        [python, "-c", SCRIPT, str(folder / "cache")],
        env={"PYTHONPATH": os.pathsep.join(paths), "PATH": os.environ["PATH"]},
        user=account.uid if account.switches else None,
        group=account.gid if account.switches else None,
        extra_groups=[] if account.switches else None,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    token, entry, cache, user = done.stdout.splitlines()
    assert "told: The prepared PostgreSQL cluster cannot be read" in entry
    assert "Permission denied" in entry
    assert "told: The folder for prepared PostgreSQL clusters cannot be used" in cache
    assert user == f"as {account.uid}"
    assert until(lambda: not leftovers(token, folder / "cache"))
