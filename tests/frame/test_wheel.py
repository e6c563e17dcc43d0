"""What is published works without its sources: the wheel, built from the sdist."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TINY = Path(__file__).with_name("tiny_service.py")

DECLARATION = """
import sys
from pathlib import Path
from brownout import Budget, Health, Operation, Service, seconds

service = Service(
    command=[sys.executable, str(Path(__file__).with_name("tiny_service.py")), "{port}", "{dsn}"],
    health=Health(live="/live", ready="/ready", connections=0),
    operations=[Operation.read("count", "GET", "/count")],
    budget=Budget(request=seconds(1), recovery=seconds(3), pool=1),
)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, by way of the sdist, so that this has everything too."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel, and of this environment only the libraries.

    A path in a .pth file is searched, but the .pth files there are not read: the editable install
    of these sources stays out of reach.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    site = Path(
        sysconfig.get_path("purelib", "venv", vars={"base": str(folder), "platbase": str(folder)})
    )
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python"


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """A folder far from the sources, with a declaration that any module may import."""
    (tmp_path / "declaration.py").write_text(DECLARATION)
    (tmp_path / "tiny_service.py").write_text(TINY.read_text(encoding="utf-8"))
    return tmp_path


def run(python: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BROWNOUT_", "PYTEST_", "PYTHON"))
    }
    # Plugins of others that import much for each run.
    environment["PYTEST_ADDOPTS"] = "-p no:schemathesis -p no:anyio -p no:hypothesispytest"
    return subprocess.run(
        [str(python), "-m", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def listed(result: subprocess.CompletedProcess[str]) -> list[str]:
    """The names of the tests in pytest's listing, without their files."""
    return [line.partition("::")[2] for line in result.stdout.splitlines() if "::" in line]


def test_wheel_carries_package_and_suites_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    suites = {path.name for path in (ROOT / "suites").glob("*.py")}
    assert {f"brownout/suites/{name}" for name in suites} <= set(names)
    assert "brownout/py.typed" in names
    tops = {name.partition("/")[0].partition("-")[0] for name in names}
    assert tops == {"brownout", "pytest_brownout"}
    assert not [name for name in names if "__pycache__" in name]


def test_wheel_is_used_and_not_the_sources(python: Path, away: Path) -> None:
    code = "import brownout.suites, brownout.cli; print(brownout.cli.__file__)"
    (away / "where.py").write_text(code)
    result = run(python, away, "where")
    assert result.stdout.startswith(str(python.parents[1])), result.stderr


def test_suites_are_collected_from_the_wheel(python: Path, away: Path) -> None:
    quiet = ["--collect-only", "-q", "-p", "no:cacheprovider"]
    result = run(python, away, "pytest", "--pyargs", "brownout.suites", *quiet)
    assert result.returncode == 0, result.stdout + result.stderr
    here = run(Path(sys.executable), ROOT, "pytest", "suites", *quiet)
    assert listed(result) == listed(here)
    assert len(listed(result)) > 30


def test_behaviour_is_judged_from_the_wheel(python: Path, away: Path) -> None:
    result = run(
        python,
        away,
        "pytest",
        "--pyargs",
        "brownout.suites.test_health_checks",
        "-p",
        "no:cacheprovider",
        "-k",
        "test_there_is_a_liveness_and_a_readiness_route",
        "--brownout-service=declaration:service",
    )
    assert "brownout: 1 kept, 0 broken, 0 unknown, 0 not assessed — exit 0" in result.stdout, (
        result.stdout + result.stderr
    )
    assert result.returncode == 0


def test_conftest_at_rootdir_declares_for_the_wheel(python: Path, away: Path) -> None:
    (away / "conftest.py").write_text("""
import pytest
from brownout import Service
from declaration import service

@pytest.fixture(scope="session")
def service_under_test() -> Service:
    return service
""")
    suite = "brownout.suites.test_health_checks"
    result = run(python, away, "pytest", "--pyargs", suite, "-k", "route")
    assert "1 kept" in result.stdout, result.stdout + result.stderr


def test_declaration_beside_imported_tests(python: Path, away: Path) -> None:
    (away / "test_mine.py").write_text("""
import pytest
from brownout.suites.test_health_checks import *
from declaration import service

@pytest.fixture(scope="session")
def service_under_test():
    return service
""")
    result = run(python, away, "pytest", "-k", "route")
    assert "1 kept" in result.stdout, result.stdout + result.stderr


def test_conftest_elsewhere_is_named(python: Path, away: Path) -> None:
    (away / "checks").mkdir()
    below = away / "checks" / "conftest.py"
    below.write_text("def service_under_test(): ...\n")
    result = run(python, away, "pytest", "--pyargs", "brownout.suites.test_health_checks", "-x")
    assert result.returncode == 2
    told = " ".join(result.stdout.split())
    assert "No service is declared" in told
    assert f"{below} defines service_under_test, but is not at rootdir" in told


def test_gate_takes_the_suites_from_the_wheel(python: Path, away: Path) -> None:
    (away / "gate.py").write_text("import sys, brownout.cli; sys.exit(brownout.cli.main())")
    words = ["gate", "-k", "there_is_a_liveness", "--service=declaration:service", "-q"]
    result = run(python, away, "gate", *words)
    last = result.stdout.splitlines()[-1]
    assert last == "brownout gate: exit code 0, all promises that were assessed were kept: 1", (
        result.stdout + result.stderr
    )
    assert (away / "brownout-report" / "junit.xml").exists()
    page = (away / "brownout-report" / "index.html").read_text(encoding="utf-8")
    assert "<h1>All 1 promises that were assessed were kept</h1>" in page
    document = json.loads((away / "brownout-report" / "brownout.json").read_text(encoding="utf-8"))
    assert document["exit_code"] == 0
