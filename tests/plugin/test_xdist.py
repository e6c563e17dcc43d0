"""Under pytest-xdist a run says the same."""

import pytest

from tests.plugin.conftest import PREAMBLE, QUIETLY

pytest_plugins = ["pytester"]

TESTS = """
@pytest.fixture(scope="session")
def engine():
    raise BackendUnavailable("No engine answers.")

@pytest.fixture
def steady():
    yield
    raise violation('It comes back.')

@pytest.mark.behaviour('T1')
def test_kept(): pass

@pytest.mark.behaviour('T2')
def test_broken(): raise violation('It ends in time.')

@pytest.mark.behaviour('T3')
def test_unknown(engine): pass

@pytest.mark.behaviour('T6')
def test_unknown_too(engine): pass

@pytest.mark.behaviour('P9')
def test_not_assessed(): raise NotAssessable('cannot')

@pytest.mark.behaviour('E3')
def test_should(): raise violation()

@pytest.mark.behaviour('P1')
def test_teardown(steady): pass
"""


def run(project: pytest.Pytester, source: str, *arguments: str) -> pytest.RunResult:
    project.makepyfile(test_it=PREAMBLE + source)
    return project.runpytest_subprocess(*QUIETLY, *arguments)


def section(result: pytest.RunResult) -> list[str]:
    """Brownout's own lines, from its heading to its verdict."""
    lines = result.outlines
    start = next(number for number, line in enumerate(lines) if "= brownout =" in line)
    end = next(number for number, line in enumerate(lines) if line.startswith("brownout: "))
    return lines[start : end + 1]


def test_workers_give_the_same_verdicts(project: pytest.Pytester) -> None:
    alone = run(project, TESTS)
    shared = run(project, TESTS, "-n", "2", "--dist", "loadgroup")
    assert section(shared) == section(alone)
    assert shared.ret == alone.ret == 1
    assert shared.parseoutcomes() == alone.parseoutcomes()


def test_error_of_ours_is_told_once_for_all_workers(project: pytest.Pytester) -> None:
    result = run(project, TESTS, "-n", "2", "--dist", "each")
    assert result.stdout.str().count("No engine answers.") == 1  # two workers, two tests each


def test_worker_that_dies_leaves_its_test_unknown(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
@pytest.mark.behaviour('T1')
def test_kept(): pass

@pytest.mark.behaviour('T2')
def test_dies():
    import os
    os._exit(1)
""",
        "-n",
        "1",
    )
    result.stdout.fnmatch_lines(["  T1 *kept *", "  T2 *unknown *", "*process * died*"])
    assert result.ret == 2


def test_nothing_selected(project: pytest.Pytester) -> None:
    assert run(project, TESTS, "-n", "1", "-k", "nothing").ret == 2


def test_ordinary_run_is_left_alone(project: pytest.Pytester) -> None:
    result = run(project, "def test_it(): assert 0\n", "-n", "1")
    assert result.ret == 1
    result.stdout.no_fnmatch_line("*brownout:*")


def test_wrong_option_starts_no_fixture(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
@pytest.fixture(scope="session", autouse=True)
def engine():
    open("started", "w").close()

@pytest.mark.behaviour('T1')
def test_it(): pass
""",
        "-n",
        "1",
        "--brownout-backend=dokcer",
    )
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*--brownout-backend is 'dokcer'*", "*Did you mean 'docker'?*"])
    assert not (project.path / "started").exists()


def test_facts_of_the_session_arrive(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
@pytest.fixture(scope="session", autouse=True)
def versions(pytestconfig):
    from brownout.plugin.session_facts import record
    record(pytestconfig, postgresql="16.14")

@pytest.mark.behaviour('T1')
def test_it(): pass
""",
        "-n",
        "1",
        "--brownout-report=out",
    )
    assert result.ret == 0
    assert '"postgresql": "16.14"' in (project.path / "out" / "brownout.json").read_text()
