"""A broken promise that the declaration waives does not fail the run, until the waiver ends."""

import json

import pytest

from tests.plugin.conftest import Judge
from tests.plugin.test_handover import DECLARATION

pytest_plugins = ["pytester"]

CONFTEST = """
import pytest

@pytest.fixture(scope="session")
def service_under_test():
    return service
"""

BROKEN = """
@pytest.mark.behaviour("T1")
def test_it(service_under_test):
    raise violation()
"""


@pytest.mark.parametrize(
    ("waivers", "counted", "said", "code"),
    [
        ({"T1": "no deadline"}, "1 broken but tolerated (T1)", "waived: no deadline", 0),
        (
            {"T1": "no deadline, until 9999-01"},
            "1 broken but tolerated (T1)",
            "waived until 9999-01-31: no deadline",
            0,
        ),
        (
            {"T1": "no deadline, until 2020-01"},
            "1 broken (T1)",
            "its waiver ended on 2020-01-31: no deadline",
            1,
        ),
        ({"T2": "another"}, "1 broken (T1)", None, 1),
        ({}, "1 broken (T1)", None, 1),
    ],
)
def test_a_waived_promise_is_tolerated(
    judge: Judge,
    project: pytest.Pytester,
    waivers: dict[str, str],
    counted: str,
    said: str | None,
    code: int,
) -> None:
    declaration = DECLARATION.replace("command=", f"waivers={waivers!r}, command=")
    project.makeconftest(declaration + CONFTEST)
    result = judge(BROKEN, "--brownout-strict", "--brownout-report=out")
    assert result.ret == code
    result.stdout.fnmatch_lines([f"brownout: *{counted}*"])
    document = json.loads((project.path / "out" / "brownout.json").read_text())
    (entry,) = document["behaviours"]
    assert entry["acceptance"] == said
    summary = (project.path / "out" / "summary.md").read_text(encoding="utf-8")
    page = (project.path / "out" / "index.html").read_text(encoding="utf-8")
    for text in (result.stdout.str(), summary.replace("\\", ""), page):
        assert ((said or "no deadline") in text) == (said is not None)
    assert document["session"]["service"]["waivers"] == waivers
