"""`brownout behaviours` and `brownout explain`: the catalogue at the command line."""

import re

import pytest

from brownout import cli
from brownout.behaviours import CATALOGUE


def test_every_promise_is_listed_once_with_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["behaviours"]) == 0
    printed = capsys.readouterr().out
    listed = re.findall(r"^  (\w+) +(must|should) +\w", printed, re.M)
    assert listed == [(one.id, one.level.value) for one in CATALOGUE.values()]
    declared = printed.count(" (declared)\n")
    assert f"\n{len(CATALOGUE)} promises; {declared} of them only where the feature" in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_a_judged_promise_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "H1"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    guidance = CATALOGUE["H1"].guidance
    for text in (CATALOGUE["H1"].promise, guidance.why, guidance.mend):
        assert text in printed
    assert "Judged: Liveness answers throughout." in printed
    assert "test_health_checks.py::test_liveness_answers_throughout" in printed
    assert "brownout gate --only H1" in printed
    assert "Google's SRE book, chapter 22" in printed


def test_a_promise_of_a_declared_feature_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "V8", "H1"]) == 0
    feature, always = capsys.readouterr().out.split("\n\n")
    assert "for services that declare the feature" in feature
    assert "for services that declare the feature" not in always


def test_several_are_explained_in_the_order_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "T1", "E1"]) == 0
    printed = capsys.readouterr().out
    assert re.findall(r"^(\w+) \(must\):", printed, re.M) == ["T1", "E1"]


def test_an_unknown_id_is_answered_with_the_closest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "h1"]) == 2
    assert "Did you mean 'H1'?" in capsys.readouterr().err
