"""Where the service's process ended in a trial, the trial's broken promises follow from that."""

import json

import pytest

from tests.plugin.conftest import Judge

pytest_plugins = ["pytester"]

ENDED = """
from types import SimpleNamespace

@pytest.fixture
def brownout_recording():
    return SimpleNamespace(process="it ended")

"""


def report(pytester: pytest.Pytester) -> dict[str, object]:
    document = json.loads((pytester.path / "out" / "brownout.json").read_text("utf-8"))
    (test,) = document["tests"]
    assert isinstance(test, dict)
    return test


@pytest.mark.parametrize("body", ["raise violation()", "assert 1 == 2"])
def test_a_broken_promise_says_in_one_line_what_it_follows_from(
    judge: Judge, pytester: pytest.Pytester, body: str
) -> None:
    source = f"@pytest.mark.behaviour('H1')\ndef test_it(brownout_recording):\n    {body}\n"
    result = judge(ENDED + source, "--brownout-report=out")
    result.assert_outcomes(failed=1)
    told = "follows: S6, the end of the service's process"
    assert f"    {told}" in result.outlines
    assert "at most 1000 ms" not in result.stdout.str()
    assert "Why it matters" not in result.stdout.str()
    test = report(pytester)
    assert test["verdicts"] == {"H1": "broken"}
    assert test["follows"] == {"H1": "S6"}
    assert test["reasons"] == {"H1": told}


def test_how_a_process_starts_or_stops_follows_from_nothing(
    judge: Judge, pytester: pytest.Pytester
) -> None:
    source = "@pytest.mark.behaviour('S1')\ndef test_it(brownout_recording): raise violation()\n"
    result = judge(ENDED + source, "--brownout-report=out")
    result.assert_outcomes(failed=1)
    assert "at most 1000 ms" in result.stdout.str()
    assert report(pytester)["follows"] == {}


def test_s6_itself_is_told_in_full(judge: Judge, pytester: pytest.Pytester) -> None:
    source = "@pytest.mark.behaviour('S6')\ndef test_it(brownout_recording): raise violation()\n"
    result = judge(ENDED + source, "--brownout-report=out")
    result.assert_outcomes(failed=1)
    assert "at most 1000 ms" in result.stdout.str()
    assert report(pytester)["follows"] == {}


@pytest.mark.parametrize(
    ("body", "verdict"),
    [("pass", "kept"), ("raise FaultNotFelt('no')", "unknown"), ("1 / 0", "unknown")],
)
def test_what_is_not_broken_follows_from_nothing(
    judge: Judge, pytester: pytest.Pytester, body: str, verdict: str
) -> None:
    source = f"@pytest.mark.behaviour('H1')\ndef test_it(brownout_recording):\n    {body}\n"
    judge(ENDED + source, "--brownout-report=out")
    test = report(pytester)
    assert test["verdicts"] == {"H1": verdict}
    assert test["follows"] == {}
