"""A run that is interrupted says of no promise that it is kept while a test of it is left."""

import json

import pytest

from tests.plugin.conftest import PREAMBLE, QUIETLY

pytest_plugins = ["pytester"]

TESTS = """
import os, signal, time
from brownout.figures import Figure, note

@pytest.mark.behaviour('T1')
@pytest.mark.parametrize("trial", ["outage", "reset", "freeze"])
def test_some_are_left(trial, pytestconfig):
    if trial == "reset":
        time.sleep(0.5)  # so the controller has the reports before it
        in_worker = hasattr(pytestconfig, "workerinput")
        os.kill(os.getppid() if in_worker else os.getpid(), signal.SIGINT)
        time.sleep(5)

@pytest.mark.behaviour('T2')
def test_done(): note(Figure(1, 2, "sessions"))

@pytest.mark.behaviour('T3')
def test_broken(): raise violation()

@pytest.mark.behaviour('T3')
@pytest.mark.parametrize("trial", ["late"])
def test_broken_and_left(trial): pass

@pytest.mark.behaviour('T1')
def test_another_function(): pass

@pytest.mark.behaviour('T6')
def test_none_was_run(): pass
"""
LAST = """
def pytest_collection_modifyitems(items):
    order = ["done", "broken", "outage]", "reset]", "freeze]"]
    def place(item):
        return next((n for n, end in enumerate(order) if item.name.endswith(end)), len(order))
    items.sort(key=place)
"""
BROKEN = "def test_broken(): raise violation()"


@pytest.fixture
def run(project: pytest.Pytester) -> pytest.Pytester:
    """The project, whose third test is interrupted."""
    project.makeconftest(LAST)
    return project


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["here", "in a worker"])
def test_a_promise_with_a_test_that_was_left_is_unknown(
    run: pytest.Pytester, workers: list[str]
) -> None:
    run.makepyfile(test_it=PREAMBLE + TESTS.replace(BROKEN, "def test_broken(): pass"))
    result = run.runpytest_subprocess(
        *QUIETLY, "-p", "brownout.plugin.progress", "--brownout-report=out", *workers
    )
    text = result.stdout.str()
    assert result.ret == 2
    result.stdout.fnmatch_lines(
        [
            "  T1 *unknown *",
            "  T2 *kept *1 of 2 sessions",
            "  T3 *unknown *",
            "unknown: T1, T3",
            "    the run was interrupted before all of its tests",
            "brownout: 1 kept, 0 broken, 2 unknown (T1, T3), 0 not assessed — exit 2",
            "brownout: interrupted, * of 8 checks were not run",
            "!*! Interrupted: the run was stopped by a signal !*!",
        ]
    )
    assert text.count("the run was interrupted") == 1
    assert "T6" not in text, "none of its tests was run"
    assert "--full-trace" not in text
    document = json.loads((run.path / "out" / "brownout.json").read_text())
    (finding,) = document["findings"]
    assert finding["tests"] == []
    page = (run.path / "out" / "index.html").read_text()
    assert "Seen in ." not in page


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["here", "in a worker"])
def test_a_broken_promise_stays_broken(run: pytest.Pytester, workers: list[str]) -> None:
    run.makepyfile(test_it=PREAMBLE + TESTS)
    result = run.runpytest_subprocess(*QUIETLY, *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["brownout: 1 kept, 1 broken (T3), 1 unknown (T1), 0 not assessed — exit 1"]
    )


def test_in_groups_of_xdist_node_ids_are_the_same(run: pytest.Pytester) -> None:
    grouped = TESTS.replace("def test_done", "@pytest.mark.xdist_group('one')\ndef test_done")
    run.makepyfile(test_it=PREAMBLE + grouped)
    result = run.runpytest_subprocess(*QUIETLY, "-n", "1", "--dist", "loadgroup")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["brownout: 1 kept, 1 broken (T3), 1 unknown (T1), 0 not assessed — exit 1"]
    )
