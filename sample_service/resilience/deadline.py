"""The deadline of a request, which everything that waits for something observes."""

import time
from dataclasses import dataclass
from typing import Final

__all__ = ["TOO_LITTLE", "Deadline"]

TOO_LITTLE: Final = 0.01
"""Seconds left at which work is no longer begun: they allow a round trip or two."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds.

    Passing on the moment instead of a duration keeps time-outs from adding up.
    """

    at: float
    hurried: bool = False
    """Whether the caller allowed less time than a healthy database may need, so missing this
    deadline says nothing about the database."""

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def within(self, seconds: float) -> "Deadline":
        """Return this deadline, or that many seconds from now if that is sooner."""
        return Deadline(min(self.at, time.monotonic() + seconds), self.hurried)

    def left(self) -> float:
        """Return the seconds that remain, at least zero."""
        return max(0.0, self.at - time.monotonic())

    def is_over(self) -> bool:
        """Whether too little time is left to begin anything."""
        return self.left() < TOO_LITTLE
