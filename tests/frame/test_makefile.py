"""make's promises: what is run, in which order, and when the environment is built anew."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Notes how it was called; fails where the file `fails` names a part of that.
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> calls
if [ -e fails ] && echo "$(basename "$0") $*" | grep -q -e "$(cat fails)"; then exit 1; fi
"""

COMPILED = "python -m pytest tests -q --collect-only"
LINT = ["ruff check", "ruff format", "mypy --strict"]
ASKED = "python -m brownout.backends.docker"
RUNS = [
    "python -m pytest tests -q -rs -n 4 --dist loadfile --no-loadscope-reorder -m not alone",
    "python -m pytest tests -q -rs -m alone",
    "python -m pytest suites -q -n 4",
    "python -m pytest examples/test_incidents.py -q -rs -n 4",
    "python -m pytest examples/test_examples.py -q -rs",
]
CONTAINERS = "suites -q -n 3 --brownout-backend=docker"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment is there, and whose tools only say that they were called."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in ("python", "ruff", "mypy", "brownout"):
        (tools / name).write_text(STAND_IN)
        (tools / name).chmod(0o755)
    # The stamp as make itself writes it.
    stamp = make(tmp_path, "--eval", "stamp: ; @$(MADE_FROM) > $(VENV)/made-from", "stamp")
    assert stamp.returncode == 0, stamp.stderr
    return tmp_path


def make(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BROWNOUT_", "MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", *words],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def calls(checkout: Path) -> list[str]:
    """The tools' calls in order, without the look whether Python runs, and without what goes on
    beside the lint."""
    lines = (checkout / "calls").read_text().splitlines()
    return [line for line in lines if line.strip() not in {"python -c", COMPILED}]


def matches(called: list[str], expected: list[str]) -> bool:
    return len(called) == len(expected) and all(
        part in line for part, line in zip(expected, called, strict=True)
    )


def test_everything_is_run_in_order(checkout: Path) -> None:
    assert make(checkout, "test").returncode == 0
    expected = [*LINT, ASKED, *RUNS, ASKED, CONTAINERS]
    assert matches(calls(checkout), expected), calls(checkout)
    assert COMPILED in (checkout / "calls").read_text().splitlines()


def test_what_cannot_be_compiled_is_told_by_the_tests(checkout: Path) -> None:
    (checkout / "fails").write_text("--collect-only")
    assert make(checkout, "test").returncode == 0
    assert CONTAINERS in calls(checkout)[-1]


@pytest.mark.parametrize("failing", [*LINT, *RUNS, CONTAINERS])
def test_first_failing_run_is_the_last(checkout: Path, failing: str) -> None:
    (checkout / "fails").write_text(failing)
    assert make(checkout, "test").returncode != 0
    assert failing in calls(checkout)[-1]


def test_no_engine_leaves_out_what_needs_one(checkout: Path) -> None:
    (checkout / "fails").write_text(ASKED)
    assert make(checkout, "test").returncode == 0
    without = RUNS[0] + " and not docker"
    assert matches(calls(checkout), [*LINT, ASKED, without, *RUNS[1:], ASKED]), calls(checkout)


def test_no_engine_is_one_line(checkout: Path) -> None:
    (checkout / "fails").write_text(ASKED)
    result = make(checkout, "containers")
    assert result.returncode == 0
    assert result.stdout == (
        "No Docker engine answers: the tests and suites with containers were not run.\n"
    )


@pytest.mark.parametrize("target", ["test", "own-tests", "containers"])
def test_no_engine_is_told_before_all_else_where_one_is_required(
    checkout: Path, target: str
) -> None:
    (checkout / "fails").write_text(ASKED)
    result = make(checkout, target, BROWNOUT_REQUIRE_DOCKER="1")
    assert result.returncode != 0
    assert "BROWNOUT_REQUIRE_DOCKER=1 asks for an engine" in result.stderr
    assert calls(checkout) == [ASKED]


def test_gate_passes_arguments_on(checkout: Path) -> None:
    make(checkout, "gate", "ARGS=--backend docker")
    assert calls(checkout) == ["brownout gate --backend docker"]


def test_benchmark_prints_its_code_last(checkout: Path) -> None:
    (checkout / "fails").write_text("benchmarks.proxy")
    result = make(checkout, "bench-proxy")
    assert result.returncode != 0
    assert result.stdout.splitlines()[-1] == "bench-proxy: exit code 1"


@pytest.mark.parametrize("changed", ["constraints.txt", "pyproject.toml"])
def test_environment_is_built_anew_when_what_it_is_made_from_changed(
    checkout: Path, changed: str
) -> None:
    path = checkout / changed
    path.write_text("# changed\n" + path.read_text())
    result = make(checkout, "env", BROWNOUT_PYTHON="no-such-python", PATH=_without_python(checkout))
    assert "No Python 3.11 or newer" in result.stderr  # it wanted to


def test_environment_stays_when_a_tools_settings_changed(checkout: Path) -> None:
    path = checkout / "pyproject.toml"
    path.write_text(path.read_text() + "\n[tool.another]\nline-length = 80\n")
    result = make(checkout, "env")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_no_python_is_one_clear_error(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    result = make(checkout, "gate", PATH=_without_python(checkout))
    assert result.returncode != 0
    cause, tried, remedy, *_ = result.stderr.splitlines()
    assert cause == "No Python 3.11 or newer with its venv module was found."
    assert tried.startswith("Tried: ")
    assert remedy.startswith("What to do: install one")


def _without_python(folder: Path) -> str:
    """A PATH with the tools that the Makefile uses, and no Python."""
    tools = folder / "tools"
    tools.mkdir()
    for name in ("basename", "cat", "cmp", "grep", "make", "rm", "sed", "sh"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    return str(tools)
