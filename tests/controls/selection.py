"""A pytest plugin that judges only some promises (`-p tests.controls.selection --judge=…`)."""

import pytest

__all__ = ["pytest_addoption", "pytest_collection_modifyitems"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--judge`."""
    parser.addoption(
        "--judge", default="", metavar="IDS", help="behaviours to judge, separated by commas"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of those promises, and the unmarked ones, which test the steady state."""
    wanted = set(str(config.getoption("--judge")).split(","))
    kept = [item for item in items if _wanted(item, wanted)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _wanted(item: pytest.Item, wanted: set[str]) -> bool:
    marks = list(item.iter_markers("behaviour"))
    return not marks or any(wanted.intersection(mark.args) for mark in marks)
