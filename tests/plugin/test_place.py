"""An error that is told without a traceback names the line of the test that led to it."""

import pytest

from tests.plugin.conftest import Judge

pytest_plugins = ["pytester"]

HELPED = """
def helper(): raise FaultNotFelt("Outage() hit nothing.")

def test_it():
    helper()
"""


def test_error_names_the_innermost_line_of_own_code(judge: Judge, project: pytest.Pytester) -> None:
    result = judge(HELPED)
    lines = (project.path / "test_it.py").read_text().splitlines()
    (line,) = (number for number, text in enumerate(lines, 1) if text.startswith("def helper"))
    result.stdout.fnmatch_lines(
        ["FaultNotFelt: Outage() hit nothing.", f"test_it.py:{line}: in helper"]
    )


def test_line_of_own_code_and_none_of_brownouts(judge: Judge) -> None:
    raised_inside = """
from brownout import Budget, seconds
def test_it():
    Budget(request=1, recovery=seconds(5), pool=10)
"""
    result = judge(raised_inside)
    result.stdout.fnmatch_lines(["SettingsError: *", "test_it.py:*: in test_it"])
    result.stdout.no_fnmatch_line("*brownout/declaration*")


def test_broken_promise_of_an_own_test_has_it_too(judge: Judge) -> None:
    source = """
@pytest.mark.behaviour('T1')
def test_it():
    raise violation()
"""
    judge(source, "-v").stdout.fnmatch_lines(
        ["How it is usually mended: *", "test_it.py:*: in test_it"]
    )


def test_error_of_two_tests_is_told_once_and_each_has_its_line(judge: Judge) -> None:
    result = judge(HELPED + "\ndef test_again():\n    helper()\n")
    result.stdout.fnmatch_lines(
        ["the same error as in test_it.py::test_it", "test_it.py:*: in helper"]
    )


def test_error_of_a_fixture_of_ours_names_no_line(judge: Judge) -> None:
    result = judge("def test_it(brownout_settings): pass\n", "--brownout-start-timeout=soon")
    assert "SettingsError" in result.stdout.str() + result.stderr.str()
    result.stdout.no_fnmatch_line("*: in *")
