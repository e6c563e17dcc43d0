"""One deadline for each request, handed to everything that may wait."""

import time
from dataclasses import dataclass
from typing import Final

__all__ = ["TOO_LITTLE", "Deadline"]

TOO_LITTLE: Final = 0.01
"""Seconds in which nothing can be done: a round trip or two."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock, in seconds; everything that waits asks it for what is left.

    Passing the moment on, and not a duration, is what keeps time-outs from adding up.
    """

    at: float
    hurried: bool = False
    """Whether its caller gave less time than a database that is well may need: that it is over then
    says nothing of the database."""

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def within(self, seconds: float) -> "Deadline":
        """The same, or that many seconds from now where that is sooner."""
        return Deadline(min(self.at, time.monotonic() + seconds), self.hurried)

    def left(self) -> float:
        """The seconds that remain; never below zero."""
        return max(0.0, self.at - time.monotonic())

    def is_over(self) -> bool:
        """Whether it is too late to begin anything."""
        return self.left() < TOO_LITTLE
