"""What a run's exit code says."""

import json

import pytest

from brownout.report.merging import merged
from brownout.report.reading import headline
from tests.plugin.conftest import PREAMBLE, QUIETLY, Judge

pytest_plugins = ["pytester"]

KEPT = "@pytest.mark.behaviour('T1')\ndef test_kept(): pass\n"
BROKEN = "@pytest.mark.behaviour('T2')\ndef test_broken(): raise violation()\n"
UNKNOWN = "@pytest.mark.behaviour('T3')\ndef test_unknown(): 1 / 0\n"
NOT_ASSESSED = "@pytest.mark.behaviour('P9')\ndef test_not(): raise NotAssessable('cannot')\n"
ORDINARY = "def test_ordinary(): pass\n"
ORDINARY_FAILING = "def test_ordinary_failing(): assert 0\n"
ORDINARY_UNKNOWN = "def test_no_engine(): raise BackendUnavailable('no engine')\n"


@pytest.mark.parametrize(
    ("tests", "code"),
    [
        pytest.param(KEPT, 0, id="kept"),
        pytest.param(KEPT + NOT_ASSESSED, 0, id="kept-and-not-assessed"),
        pytest.param(KEPT + ORDINARY, 0, id="kept-beside-ordinary"),
        pytest.param(KEPT + BROKEN, 1, id="broken"),
        pytest.param(KEPT + UNKNOWN, 2, id="unknown"),
        pytest.param(BROKEN + UNKNOWN, 1, id="broken-outranks-unknown"),
        pytest.param(NOT_ASSESSED, 2, id="nothing-assessed"),
        pytest.param(NOT_ASSESSED + ORDINARY, 2, id="nothing-assessed-beside-ordinary"),
        pytest.param(KEPT + ORDINARY_FAILING, 1, id="ordinary-test-failed"),
        pytest.param(UNKNOWN + ORDINARY_FAILING, 1, id="ordinary-test-failed-beside-unknown"),
        pytest.param(KEPT + ORDINARY_UNKNOWN, 2, id="ordinary-test-met-our-error"),
    ],
)
def test_verdicts_make_the_exit_code(judge: Judge, tests: str, code: int) -> None:
    assert judge(tests).ret == code


def test_nothing_left_after_deselecting_behaviours(judge: Judge) -> None:
    assert judge(KEPT, "-k", "nothing").ret == 2


def test_ordinary_tests_left_after_deselecting_behaviours(judge: Judge) -> None:
    result = judge(BROKEN + ORDINARY, "-k", "ordinary")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("brownout:*")


def test_only_listed(judge: Judge) -> None:
    assert judge(BROKEN, "--collect-only").ret == 0


def test_only_set_up(judge: Judge) -> None:
    assert judge(BROKEN, "--setup-only").ret == 0


def test_stopped_at_the_first_failure(judge: Judge) -> None:
    assert judge(BROKEN + KEPT, "-x").ret == 1


def test_interrupted(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=PREAMBLE + BROKEN + "def test_stop(): raise KeyboardInterrupt\n")
    result = project.runpytest_subprocess(*QUIETLY)
    assert result.ret == 1, "broken outranks what is not known"
    result.stdout.fnmatch_lines(["  T2 *broken *"])


def test_interrupted_before_anything_was_broken(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=PREAMBLE + KEPT + "def test_stop(): raise KeyboardInterrupt\n")
    assert project.runpytest_subprocess(*QUIETLY).ret == 2


def test_collection_failed(judge: Judge, project: pytest.Pytester) -> None:
    project.makepyfile(test_other="import nowhere_to_be_found")
    assert judge(KEPT).ret == 2


@pytest.mark.parametrize(
    "ending", ["def pytest_runtest_logfinish(): 1 / 0", "def pytest_runtest_logfinish(): EXIT"]
)
def test_an_end_that_is_not_pytests_own(
    judge: Judge, project: pytest.Pytester, ending: str
) -> None:
    """Merged with a run that is whole, it is no less unfinished."""
    project.makeconftest(ending.replace("EXIT", "__import__('pytest').exit('so', returncode=7)"))
    assert judge(KEPT, "--brownout-report=report").ret == 2
    document = json.loads((project.path / "report" / "brownout.json").read_text())
    project.makeconftest("")
    assert judge(KEPT, "--brownout-report=report").ret == 0
    whole = json.loads((project.path / "report" / "brownout.json").read_text())
    assert merged({"one": document, "another": whole}).document["exit_code"] == 2
    assert headline(document).startswith("pytest ended with code ")


def test_usage_error_after_behaviours_were_collected(
    judge: Judge, project: pytest.Pytester
) -> None:
    project.makeconftest("""
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems():
    raise pytest.UsageError("not like this")
""")
    result = judge(KEPT)
    assert result.ret == 2
    result.stderr.fnmatch_lines(["ERROR: not like this"])


def test_exit_code_set_by_another_plugin_is_kept(judge: Judge, project: pytest.Pytester) -> None:
    """Such as a limit of coverage. A report that is merged of this one has to say so, too."""
    project.makeconftest("def pytest_sessionfinish(session): session.exitstatus = 1")
    result = judge(KEPT, "--brownout-report=report")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["broken, without a behaviour: pytest", "  It ended with code 1, although no test failed*"]
    )
    document = json.loads((project.path / "report" / "brownout.json").read_text())
    assert merged({"one": document, "another": document}).document["exit_code"] == 1


@pytest.mark.parametrize(
    ("tests", "code"), [(KEPT, 0), (BROKEN, 1), (UNKNOWN, 2), (NOT_ASSESSED, 2)]
)
@pytest.mark.parametrize("arguments", [["-p", "no:terminal"], ["-q"], ["-qq"]])
def test_code_does_not_depend_on_what_is_shown(
    judge: Judge, tests: str, code: int, arguments: list[str]
) -> None:
    assert judge(tests, *arguments).ret == code


def test_quiet_run_shows_what_is_not_kept(judge: Judge) -> None:
    result = judge(KEPT + BROKEN, "-q")
    result.stdout.fnmatch_lines(["  T2 *broken *", "brownout: 1 kept, 1 broken (T2)*exit 1"])
    result.stdout.no_fnmatch_line("  T1 *")


def test_very_quiet_run_shows_one_line(judge: Judge) -> None:
    result = judge(KEPT + BROKEN, "-qq")
    result.stdout.no_fnmatch_line("  T? *")
    result.stdout.fnmatch_lines(["brownout: 1 kept, 1 broken (T2)*exit 1"])


def test_pytests_own_closing_line_stays_last(judge: Judge) -> None:
    result = judge(KEPT + BROKEN)
    lines = [line for line in result.outlines if line.strip()]
    assert lines[-1].startswith("===")
    assert "1 failed, 1 passed" in lines[-1]


def test_failing_test_without_a_behaviour_is_named(judge: Judge) -> None:
    result = judge(KEPT + ORDINARY_UNKNOWN)
    result.stdout.fnmatch_lines(["unknown, without a behaviour: test_it.py::test_no_engine"])


def test_a_report_that_cannot_be_written_is_told_once(
    judge: Judge, project: pytest.Pytester
) -> None:
    """The folder is there when the run begins, and gone when it ends."""
    away = "def pytest_runtest_logfinish():\n    import shutil; shutil.rmtree('report', True)\n"
    project.makeconftest(away)
    result = judge(KEPT, "--brownout-report=report")
    assert result.ret == 2
    folder = project.path / "report"
    folder.mkdir()
    project.makeconftest(
        "def pytest_runtest_logstart():\n"
        "    import pathlib; pathlib.Path('report/brownout.json').mkdir(exist_ok=True)\n"
    )
    result = judge(KEPT, "--brownout-report=report")
    assert result.ret == 2
    assert result.stderr.str().count("The report cannot be written into") == 1
    assert list(folder.iterdir()) == [folder / "brownout.json"], "no part is left"


FULL = """
import resource

def pytest_sessionstart():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
"""
TOO_MUCH = """
@pytest.mark.behaviour('P9')
def test_much(record_property):
    record_property("brownout", {"much": "x" * 20_000})
"""


@pytest.mark.parametrize(
    ("tests", "code"), [pytest.param(KEPT, 2, id="kept"), pytest.param(BROKEN, 1, id="broken")]
)
def test_on_a_full_disk_what_was_written_stays(
    project: pytest.Pytester, tests: str, code: int
) -> None:
    project.makeconftest(FULL)
    project.makepyfile(test_it=PREAMBLE + tests + TOO_MUCH)
    result = project.runpytest_subprocess(*QUIETLY, "--brownout-report=report")
    assert result.ret == code
    assert result.stderr.str().count("The report cannot be written into") == 1
    assert "report: File too large." in result.stderr.str()
    result.stdout.fnmatch_lines(["  P9  kept *", "brownout: * kept, *"])
    (left,) = (project.path / "report").iterdir()
    document = json.loads(left.read_text())
    assert len(document["tests"]) == 1
    assert document["exit_code"] == code
    assert document["error"] == "The run has not ended: this is what was known."
