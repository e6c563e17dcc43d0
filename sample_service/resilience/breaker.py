"""A circuit breaker: stops asking a database that keeps failing, and notices when it is back.

Our own, for what the libraries at hand lack (purgatory, pybreaker): slow successes that count as
failures, outcomes that say nothing either way, one trial at a time, a monotonic clock.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum, unique
from typing import Final

from sample_service.problems import CIRCUIT_OPEN, Problem
from sample_service.resilience.deadline import Deadline
from sample_service.resilience.failures import blames_database

__all__ = ["Breaker", "State"]

CALM: Final = "The database kept failing; it is left alone for a moment."


@unique
class State(StrEnum):
    """Closed: work passes. Open: it is refused. Half-open: one trial decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Opens after `threshold` failures in a row, for `rest` seconds; then one trial decides.

    A success that took longer than `slow` seconds counts as a failure: it will not be the last. An
    error that is the caller's is a success, since the database answered.
    """

    def __init__(self, *, threshold: int, rest: float, slow: float) -> None:
        self._threshold = threshold
        self._rest = rest
        self._slow = slow
        self._failures = 0
        self._opened_at = 0.0
        self._trial = False

    @property
    def state(self) -> State:
        """What the next call would meet."""
        if self._failures < self._threshold:
            return State.CLOSED
        rested = time.monotonic() - self._opened_at >= self._rest
        return State.HALF_OPEN if rested and not self._trial else State.OPEN

    @contextmanager
    def guard(self, deadline: Deadline | None = None) -> Iterator[None]:
        """Let the block run, and learn from how it ends; raises `Problem` (circuit-open).

        Nothing is learned where a caller in a hurry ran out of time: some of these would open it
        for everybody.
        """
        state = self.state
        if state is State.OPEN:
            raise Problem(CIRCUIT_OPEN, CALM)
        self._trial = trial = state is State.HALF_OPEN
        begun = time.monotonic()
        try:
            yield
        except asyncio.CancelledError:  # its caller went, who may have waited for long
            if time.monotonic() - begun > self._slow:
                self._learn(trial, failed=True)
            raise
        except Exception as error:
            failed = blames_database(error)
            if not (failed and deadline and deadline.hurried and deadline.is_over()):
                self._learn(trial, failed=failed)
            raise
        else:
            self._learn(trial, failed=time.monotonic() - begun > self._slow)
        finally:
            if trial:  # also where it was cancelled: the next one may try
                self._trial = False

    def _learn(self, trial: bool, *, failed: bool) -> None:
        if self._failures >= self._threshold and not trial:
            return  # it began before the breaker opened, and says nothing about now
        if not failed:
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= self._threshold:
            self._opened_at = time.monotonic()
