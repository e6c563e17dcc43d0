"""A plugin for a gate's own run: `-p tests.frame.reversed_order`."""

import pytest

__all__ = ["pytest_collection_modifyitems"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the trials that come last come first."""
    items.reverse()
