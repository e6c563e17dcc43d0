"""What tests of several parts share in one worker: the reaper, the server and the engine that the
fixtures start for an adopter. Parts that test one of these themselves start their own."""

import os
import shutil
from collections.abc import Generator, Iterator
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import SkipTest

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from brownout.backends.model import Backend
from brownout.control import EngineProcess
from brownout.errors import NotAssessable
from brownout.reaper import Reaper
from tests.controls.control import Control

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def reaper(brownout_reaper: Reaper) -> Reaper:
    """Removes what these tests made, should they be killed."""
    return brownout_reaper


@pytest.fixture(scope="session")
def server(brownout_backend: Backend) -> Backend:
    """A PostgreSQL server; a test may restart it, and otherwise leaves it as it was."""
    return brownout_backend


@pytest.fixture(scope="session")
def engine(brownout_engine: EngineProcess) -> EngineProcess:
    """The proxy in front of it; a test's proxies are gone after it."""
    return brownout_engine


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Debian's Chromium without a window; skipped where there is none."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("BROWNOUT_REQUIRE_CHROMIUM") == "1":
            pytest.fail("BROWNOUT_REQUIRE_CHROMIUM=1, but there is no program `chromium`")
        pytest.skip("the page is looked at with Debian's chromium, which is not installed")
    from playwright.sync_api import sync_playwright  # not in the environment of `make oldest`

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Fail where a library skips: our tests skip by `pytest.skip`, with a reason of their own.
    Hypothesis skips what has no examples, the plugin what raises `NotAssessable`; both would
    hide that nothing was tried."""
    try:
        return (yield)
    except SkipTest as skipped:
        pytest.fail(f"skipped by a library: {skipped}")
    except NotAssessable as skipped:
        pytest.fail(f"not assessed: {skipped}")


class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # not typed
    """A file is one worker's, since its tests share what they start; a control shares nothing."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if "/controls/" in nodeid else super()._split_scope(nodeid)

    def _reschedule(self, node: WorkerController) -> None:
        """Give a worker the one test beyond its current one that it must know of, not xdist's two:
        what waits for a long control could be another worker's."""
        if self._pending_of(self.assigned_work[node]) < 2:
            super()._reschedule(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Ours; `--dist loadgroup` does nothing with pytest 9.2 (pytest-xdist issue 1386)."""
    return Scheduling(config, log)


_LONGEST_FIRST = (
    "remote/test_gate.py",
    "remote/test_killed.py",
    "frame/test_recipes.py",
    "frame/test_bad_input.py",
    "sample_service/test_interface.py",
    "sample_service/test_process.py",
    "wire/test_conversations.py",
    "wire/test_server_errors.py",
    "frame/test_wheel.py",
    "containers/test_docker_whole_runs.py",
    "containers/test_docker_backend.py",
    "sample_service/test_survival.py",
    "benchmarks/test_soak.py",
    "containers/test_docker_leftovers.py",
    "backends/test_external.py",
    "frame/test_sudden_death.py",
    "core/test_runner.py",
    "distributed/test_processes.py",
    "distributed/test_spread.py",
    "cli/test_check.py",
    "cli/test_init.py",
    "console/test_page.py",
    "console/test_command.py",
    "console/test_browser.py",
)
"""Files that take more than ten seconds, so that no worker is left alone with one at the end."""

_CONTROLS = Path("controls", "test_controls.py")
_COMPARED = {"P10", "V3", "X1", "X3"}
"""Behaviours whose verdict compares latencies, for which the machine needs some room."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first, and a control after each file for as long as there are
    some: controls wait for most of their time, which leaves the machine to the others. Those that
    compare latencies come in a row after these, where most have only each other beside them, and
    then all other files."""
    here = Path(__file__).parent
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path.relative_to(here), []).append(item)
    controls = files.pop(_CONTROLS, [])
    comparing = [control for control in controls if _compares(control)]
    waiting = [[control] for control in controls if not _compares(control)]
    missing = [name for name in _LONGEST_FIRST if not (here / name).is_file()]
    assert not missing, f"_LONGEST_FIRST names what is not there: {missing}"
    longest = [files.pop(path) for path in map(Path, _LONGEST_FIRST) if path in files]
    beside = [*longest, *files.values()]
    items[:] = [
        *chain.from_iterable(chain(*zip_longest(beside[: len(waiting)], waiting, fillvalue=[]))),
        *comparing,
        *chain.from_iterable(beside[len(waiting) :]),
    ]


def _compares(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)
    control = item.callspec.params["control"]
    assert isinstance(control, Control)
    return not _COMPARED.isdisjoint(control.judged_by)
