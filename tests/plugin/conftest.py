"""pytest inside pytest: each test here runs a small project of its own."""

import os
from collections.abc import Callable

import pytest

# A run inside this process forgets what it imported when it ends; these need not be read again.
import brownout.plugin.judge
import brownout.plugin.output
import brownout.settings  # noqa: F401

Judge = Callable[..., pytest.RunResult]

QUIETLY = [
    word
    for plugin in ("cacheprovider", "hypothesispytest", "schemathesis", "anyio")
    for word in ("-p", f"no:{plugin}")
]
"""Without pytest's cache, and without plugins of others that import much for each run."""

INI = """
[pytest]
asyncio_default_fixture_loop_scope = function
"""

PREAMBLE = """
import pytest
from brownout import BackendUnavailable, ContractViolation, FaultNotFelt, NotAssessable

def violation(promise="It keeps its promise."):
    return ContractViolation(
        promise, expected="at most 1000 ms", observed="2310 ms",
        facts={"fault": "Latency", "asked": 3}, timeline=["0.00 s: injected", "2.31 s: 200"],
    )
"""


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own variables (CI sets images) must not reach the projects under test."""
    for name in list(os.environ):
        if name.startswith("BROWNOUT_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(QUIETLY))  # for the gate's run of pytest


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """An empty project."""
    pytester.makefile(".ini", pytest=INI)
    return pytester


@pytest.fixture
def judge(project: pytest.Pytester) -> Judge:
    """Run pytest, in this process, on tests given as source."""

    def run(source: str, *arguments: str) -> pytest.RunResult:
        project.makepyfile(test_it=PREAMBLE + source)
        return project.runpytest_inprocess(*QUIETLY, *arguments)

    return run
