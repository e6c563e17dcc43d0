"""A project that has Brownout installed and does not use it notices nothing."""

import subprocess
import sys

import pytest

from tests.plugin.conftest import QUIETLY, Judge

pytest_plugins = ["pytester"]

ORDINARY = """
import pytest

class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no text")

def test_passes(): pass
def test_fails(): assert 0
def test_unprintable(): raise Unprintable
def test_skips(): pytest.skip("not today")
@pytest.mark.xfail
def test_expected(): assert 0
@pytest.fixture
def broken():
    yield
    raise ValueError
def test_teardown(broken): pass
"""


def test_ordinary_run_is_as_without_the_plugin(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=ORDINARY)
    with_us = project.runpytest_inprocess(*QUIETLY)
    without = project.runpytest_inprocess(*QUIETLY, "-p", "no:brownout")

    def said(result: pytest.RunResult) -> list[str]:
        return [line for line in result.outlines[:-1] if not line.startswith("plugins: ")]

    assert said(with_us) == said(without)
    assert with_us.ret == without.ret == 1


@pytest.mark.parametrize("arguments", [["--collect-only"], ["-k", "nothing"], ["nowhere.py"]])
def test_pytests_own_codes_stay(
    judge: Judge, project: pytest.Pytester, arguments: list[str]
) -> None:
    with_us = judge("def test_it(): pass\n", *arguments)
    without = project.runpytest_inprocess(*QUIETLY, "-p", "no:brownout", *arguments)
    assert with_us.ret == without.ret


HEAVY = {
    "asyncpg",
    "docker",
    "httpx",
    "hypothesis",
    "jinja2",
    "jsonschema",
    "psutil",
    "psycopg",
    "pytest_asyncio",
    "requests",
    "starlette",
    "testcontainers",
    "toxiproxy",
    "uvicorn",
    "uvloop",
}

OURS_FOR_BEHAVIOURS = {
    "brownout.behaviours",
    "brownout.plugin.judge",
    "brownout.plugin.record",
    "brownout.report",
    "brownout.settings.resolution",
}


def test_loading_the_plugin_loads_nothing_heavy() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import brownout.plugin, sys; print(*sys.modules, sep='\\n')"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert not (HEAVY | OURS_FOR_BEHAVIOURS) & set(loaded)


WITHOUT_PYTEST_ASYNCIO = """
import sys

class Absent:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "pytest_asyncio":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent)  # as where Brownout alone is installed
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""


def without_pytest_asyncio(project: pytest.Pytester, *words: str) -> pytest.RunResult:
    program = project.path / "run.py"
    program.write_text(WITHOUT_PYTEST_ASYNCIO)
    return project.run(sys.executable, program, "-p", "no:asyncio", *QUIETLY, *words)


def test_a_project_that_makes_errors_of_warnings_meets_none(pytester: pytest.Pytester) -> None:
    """pytest-asyncio warns in each project that has it and does not configure it, so it is not
    among our requirements."""
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    pytester.makepyfile(test_it="def test_it(): pass\n")
    result = without_pytest_asyncio(pytester, "-W", "error")
    assert result.ret == 0, result.outlines
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("fixture", ["brownout_probe", "brownout_load", "brownout_steady"])
def test_an_asynchronous_fixture_names_what_it_needs(
    pytester: pytest.Pytester, fixture: str
) -> None:
    pytester.makepyfile(test_it=f"def test_it({fixture}): pass\n")
    result = without_pytest_asyncio(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*needs pytest-asyncio, which is not loaded.*",
            "*pip install 'pytest-brownout?asyncio?'`*",
        ]
    )
