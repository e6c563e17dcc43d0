"""How much the fuzzers try: little and always the same; `BROWNOUT_FUZZ=TIMES` as much."""

import os
from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, settings

__all__ = ["LONG", "TIMES", "VARIANTS", "examples"]

TIMES = int(os.environ.get("BROWNOUT_FUZZ", "1"))
LONG = TIMES > 1
VARIANTS = 100 if LONG else 2
"""How many inputs are made of one that Hypothesis draws, which takes longer than to try it."""

_Test = TypeVar("_Test", bound=Callable[..., object])


def examples(number: int) -> Callable[[_Test], _Test]:
    """Try a test with so many examples, `TIMES` as many in a long run.

    A short run draws the same ones each time: it must not fail by chance, only by a change.
    """
    chosen: Callable[[_Test], _Test] = settings(
        max_examples=number * TIMES,
        derandomize=not LONG,
        database=None,
        deadline=None,  # the machine may be busy
        suppress_health_check=list(HealthCheck),
    )
    return chosen
