"""A run that ends early says of no promise that it is kept while a test of it is left."""

import json

import pytest

from tests.plugin.conftest import PREAMBLE, QUIETLY, Judge

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


TRIALS_OF_A_LOST_WORKER = """
import os, pathlib, time

@pytest.fixture
def trial(name):
    if name == "t1":
        os._exit(9)
    deadline = time.monotonic() + 60
    while not pathlib.Path("down").exists() and time.monotonic() < deadline:
        time.sleep(0.01)

@pytest.mark.behaviour('T1')
@pytest.mark.parametrize("name", [f"t{number}" for number in range(6)])
def test_it(trial, name): pass

@pytest.mark.behaviour('T2')
@pytest.mark.parametrize("name", ["t0"])
def test_done(trial, name): pass
"""
SCHEDULING = """
import pathlib

def pytest_xdist_make_scheduler(config, log):
    from brownout.plugin.scheduling import TrialScheduling
    return TrialScheduling(config, log)

def pytest_testnodedown(node, error):
    if error:
        pathlib.Path("down").touch()
"""


def test_a_run_that_lost_too_many_workers_is_not_whole(project: pytest.Pytester) -> None:
    """xdist says nothing of the tests that it leaves, and pytest's code is 0."""
    project.makeconftest(SCHEDULING)
    project.makepyfile(test_it=PREAMBLE + TRIALS_OF_A_LOST_WORKER)
    result = project.runpytest_subprocess(
        *QUIETLY, "-n", "2", "--max-worker-restart=0", "--brownout-report=out"
    )
    assert result.ret == 2
    result.stdout.fnmatch_lines(
        [
            "  T1 *unknown *",
            "  T2 *kept *",
            "brownout: 1 kept, 0 broken, 1 unknown (T1), 0 not assessed — exit 2",
            "brownout: ended early, * of 7 checks were not run",
        ]
    )
    document = json.loads((project.path / "out" / "brownout.json").read_text())
    assert document["error"].startswith("ended early, ")


STOPPED = """
def pytest_runtest_teardown(item):
    item.session.shouldfail = "session-timeout: 1.0 sec exceeded"
"""
TWO = """
@pytest.mark.behaviour('T1')
@pytest.mark.parametrize("trial", ["outage", "reset"])
def test_it(trial): pass
"""


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        pytest.param(TWO, "brownout: 0 kept, 0 broken, 1 unknown (T1)*exit 2", id="one-is-left"),
        pytest.param(TWO.replace(', "reset"', ""), "brownout: 1 kept, *exit 2", id="none-is-left"),
        pytest.param(
            TWO.replace("pass", "raise violation()"), "brownout: * broken (T1)*exit 1", id="broken"
        ),
    ],
)
def test_a_time_limit_of_the_session_breaks_no_promise(
    judge: Judge, project: pytest.Pytester, tests: str, said: str
) -> None:
    project.makeconftest(STOPPED)
    result = judge(tests)
    assert result.ret == (1 if "exit 1" in said else 2)
    result.stdout.fnmatch_lines(
        [said, "brownout: ended early (session-timeout: 1.0 sec exceeded), * checks were not run"]
    )


def test_what_the_first_failure_left_is_not_kept(judge: Judge) -> None:
    broken = "@pytest.mark.behaviour('T2')\ndef test_broken(): raise violation()\n"
    result = judge(TWO.replace(', "reset"', "") + broken + TWO.replace("test_it", "test_2"), "-x")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "brownout: 0 kept, 1 broken (T2), 1 unknown (T1), 0 not assessed — exit 1",
            "brownout: ended early (stopping after 1 failures), 2 of 4 checks were not run",
        ]
    )


def test_a_whole_run_with_a_failure_has_not_ended_early(judge: Judge) -> None:
    result = judge(TWO + "def test_ordinary(): assert 0\n", "--maxfail=2")
    assert result.ret == 1
    result.stdout.no_fnmatch_line("*were not run*")


def test_a_shard_without_a_promise_has_not_ended_early(judge: Judge) -> None:
    result = judge("def test_ordinary(): pass\n" + TWO, "--brownout-shard=2/2")
    result.stdout.fnmatch_lines(["*1 passed, 2 deselected*"])
    result.stdout.no_fnmatch_line("*were not run*")


def test_the_document_says_how_pytest_ended(judge: Judge, project: pytest.Pytester) -> None:
    project.makeconftest("def pytest_runtest_logfinish(): 1 / 0")
    assert judge(TWO, "--brownout-report=out").ret == 2
    document = json.loads((project.path / "out" / "brownout.json").read_text())
    assert document["error"] == "pytest ended with code 3, 1 of 2 checks were not run"
    assert document["meaning"] == document["error"]


DIES = """
import json, os, pathlib, signal, time

@pytest.mark.behaviour('T1')
def test_dies(): os._exit(9)

@pytest.mark.behaviour('T2')
def test_kept(): pass

@pytest.mark.behaviour('T6')
def test_ends_the_run():
    document, deadline = pathlib.Path("out/brownout.json"), time.monotonic() + 60
    while not ('"T2": "kept"' in document.read_text() or time.monotonic() > deadline):
        time.sleep(0.01)
    parent = os.getppid()
    os.kill(parent, signal.SIGINT)
    while os.getppid() == parent and time.monotonic() < deadline:
        time.sleep(0.01)
"""


@pytest.mark.parametrize("ending", ["SIGINT", "SIGKILL"])
def test_a_worker_that_died_before_the_run_was_ended_breaks_no_promise(
    project: pytest.Pytester, ending: str
) -> None:
    project.makepyfile(test_it=PREAMBLE + DIES.replace("SIGINT", ending))
    project.runpytest_subprocess(*QUIETLY, "-n", "1", "--brownout-report=out")
    document = json.loads((project.path / "out" / "brownout.json").read_text())
    verdicts = {one["id"]: one["verdict"] for one in document["behaviours"]}
    assert (verdicts["T1"], verdicts["T2"]) == ("unknown", "kept")
    assert document["exit_code"] == 2
    assert document["others"] == []


def test_a_failed_test_without_a_promise_is_told_also_after_an_interruption(
    project: pytest.Pytester,
) -> None:
    failing = "def test_ordinary(): assert 0\n"
    project.makepyfile(
        test_it=PREAMBLE + failing + "def test_stop(): raise KeyboardInterrupt\n" + TWO
    )
    project.makeconftest(
        "def pytest_collection_modifyitems(items): items.sort(key=lambda one: 'stop' in one.name)"
    )
    assert project.runpytest_subprocess(*QUIETLY).ret == 1
