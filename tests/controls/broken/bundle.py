"""Joins independent defects of one part into one class."""

from typing import TypeVar

__all__ = ["bundle"]

Part = TypeVar("Part")


def bundle(*defects: type[Part]) -> type[Part]:
    """Return a class with all these defects, which are subclasses of one part of the kiosk.

    The first comes first in the method resolution order, as with `class Bundle(*defects)`.
    """
    return type("Bundle", defects, {})
