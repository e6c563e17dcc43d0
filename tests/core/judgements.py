"""What a judgement has to pass, to reject and to call no evidence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Controls", "Judgement"]

Judgement = Callable[[], None]


@dataclass(frozen=True)
class Controls:
    """What a judgement is given: `kept` must pass, each of `broken` must be rejected, and each of
    `nothing` must be called no evidence."""

    kept: Sequence[Judgement]
    broken: Sequence[Judgement]
    nothing: Sequence[Judgement]
