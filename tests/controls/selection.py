"""A pytest plugin that judges only some promises (`-p tests.controls.selection --judge=…`)."""

import pytest

from brownout.plugin.grouping import trial_of
from tests.controls.control import LIFECYCLE

__all__ = ["pytest_addoption", "pytest_collection_modifyitems"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--judge`."""
    parser.addoption(
        "--judge", default="", metavar="IDS", help="behaviours to judge, separated by commas"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of those promises, and the unmarked ones, which test the steady state.

    S6 is judged in every trial with a fault; here, only in those that the other promises need."""
    wanted = set(str(config.getoption("--judge")).split(","))
    chosen = [item for item in items if not _ids(item) or wanted & _ids(item)]
    needed = [trial_of(item) for item in chosen if _ids(item) != LIFECYCLE]
    kept = [item for item in chosen if _ids(item) != LIFECYCLE or trial_of(item) in needed]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _ids(item: pytest.Item) -> set[str]:
    return {name for mark in item.iter_markers("behaviour") for name in mark.args}
