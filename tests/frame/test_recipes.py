"""The recipes are run as they stand in docs/how-to/recipes.md."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from brownout import faults
from brownout.backends.model import Backend
from brownout.plugin import fixtures
from brownout.postgres import Postgres
from brownout.service.model import ServiceUnderTest
from brownout.trial import Load, Probe, Recording, Recordings

ROOT = Path(__file__).parents[2]
RECIPES = (ROOT / "docs" / "how-to" / "recipes.md").read_text(encoding="utf-8")
NAMED = re.compile(r"^```(?:ini|python)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = dict(NAMED.findall(RECIPES))
FAULTS = re.findall(
    r"^    (\w+)\(",
    FILES["test_every_fault.py"].partition("\nFAULTS = [")[2].partition("\n]")[0],
    re.MULTILINE,
)
TESTS = sorted(name for name in FILES if name.startswith("test_"))
GIVEN = {
    "brownout_service": ServiceUnderTest,
    "brownout_postgres": Postgres,
    "brownout_probe": Probe,
    "brownout_load": Load,
    "brownout_recordings": Recordings,
    "brownout_recording": Recording,
    "brownout_backend": Backend,
}
"""What the fixtures give that have attributes which a class shows."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipes' folder, as the page tells it."""
    folder = tmp_path_factory.mktemp("recipes") / "shop"
    shutil.copytree(ROOT / "examples" / "django_psycopg", folder)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(folder: Path, *words: str) -> str:
    """pytest's output there; it must pass."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:schemathesis", "-q", *words],
        cwd=folder,
        env={**inherited, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=550,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_every_block_has_its_file() -> None:
    assert RECIPES.count("\n```python\n") + RECIPES.count("\n```ini\n") == len(FILES)
    assert len(TESTS) == 9


@pytest.mark.timeout(600)
def test_recipes_pass(folder: Path) -> None:
    sources = "\n".join(FILES[name] for name in TESTS)
    tests = len(re.findall(r"^ *(?:async )?def test_", sources, re.MULTILINE))
    each_fault = len(FAULTS) - 1
    assert f"{tests + each_fault} passed" in run(folder)


@pytest.mark.timeout(600)
def test_recipes_pass_in_workers_on_a_server_that_exists(folder: Path, server: Backend) -> None:
    said = run(
        folder,
        *("-n", "2", f"--brownout-postgres={server.admin().dsn}"),
        *("test_sync.py", "test_invariant.py", "test_sqlalchemy.py", "test_mailer.py"),
    )
    assert "4 passed" in said


def test_every_fault_has_its_example() -> None:
    exist = {name for name in faults.__all__ if is_fault(getattr(faults, name))}
    assert set(FAULTS) == exist


def is_fault(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, faults.Fault) and found is not faults.Fault


def rows() -> list[list[str]]:
    """The cells of the table of fixtures."""
    table = RECIPES.partition("## The fixtures")[2].partition("\n## ")[0]
    return [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| `")]


def test_page_names_every_fixture() -> None:
    public = [name for name in fixtures.__all__ if not name.startswith("_")]
    named = " ".join(cells[0] for cells in rows())
    assert sorted(re.findall(r"`(\w+)`", named)) == sorted(public)


def test_page_names_what_there_is_of_each_fixture() -> None:
    named = {
        cells[0].split("`")[1]: set(re.findall(r"`(\w+)", cells[2]))
        for cells in rows()
        if cells[0].split("`")[1] in GIVEN
    }
    assert named.keys() == GIVEN.keys()
    assert all(named.values())
    missing = {name: names - set(dir(GIVEN[name])) for name, names in named.items()}
    assert not any(missing.values()), missing
