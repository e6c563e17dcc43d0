"""Chooses a part of the controls, because all of them take longer than CI has for them."""

import random
from collections.abc import Iterable
from typing import Final

from tests.controls.control import Control

__all__ = ["CHOSEN_BY", "part_of"]

CHOSEN_BY: Final = "BROWNOUT_CONTROLS"
"""The variable whose text chooses the part, as `.ci/run` sets it; without it, all controls run."""


def part_of(controls: Iterable[Control], text: str) -> frozenset[str]:
    """The names of about half of the controls, which break every promise that all of them break.

    `text` shuffles the controls, the same way each time; then each one is chosen that breaks a
    promise which none before it breaks, or that breaks none at all. So each control is in the part
    of some texts.
    """
    shuffled = sorted(controls, key=lambda control: control.name)
    random.Random(text).shuffle(shuffled)  # noqa: S311  # a choice, no secret
    broken: set[str] = set()
    chosen: set[str] = set()
    for control in shuffled:
        if not control.breaks or not control.breaks <= broken:
            chosen.add(control.name)
            broken |= control.breaks
    return frozenset(chosen)
