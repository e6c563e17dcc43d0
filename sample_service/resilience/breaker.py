"""A circuit breaker: refuses work for a database that keeps failing, until a trial succeeds.

purgatory and pybreaker lack what it needs: slow successes that count as failures, outcomes that
count as neither, one trial at a time, and a monotonic clock.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum, unique

from sample_service.problems import CIRCUIT_OPEN, Problem
from sample_service.resilience.deadline import Deadline
from sample_service.resilience.failures import blames_database

__all__ = ["Breaker", "State"]


@unique
class State(StrEnum):
    """Closed: work runs. Open: it is refused. Half-open: the next call is the trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Opens for `rest` seconds after `threshold` consecutive failures; then one trial decides.

    A success that took longer than `slow` seconds counts as a failure, because slowness usually
    grows. An error caused by the caller counts as a success, because the database answered.
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
        """The state that the next call will find."""
        if self._failures < self._threshold:
            return State.CLOSED
        rested = time.monotonic() - self._opened_at >= self._rest
        return State.HALF_OPEN if rested and not self._trial else State.OPEN

    @contextmanager
    def guard(self, deadline: Deadline | None = None) -> Iterator[None]:
        """Run the block and count its outcome. Raises `Problem` (circuit-open).

        A missed deadline of a hurried caller does not count: a few such callers would open the
        breaker for all.
        """
        state = self.state
        if state is State.OPEN:
            raise Problem(CIRCUIT_OPEN, "The database kept failing, so it is not asked for now.")
        self._trial = trial = state is State.HALF_OPEN
        begun = time.monotonic()
        try:
            yield
        except asyncio.CancelledError:  # the caller disconnected, perhaps after a long wait
            if time.monotonic() - begun > self._slow:
                self._count(trial, failed=True)
            raise
        except Exception as error:
            failed = blames_database(error)
            if not (failed and deadline and deadline.hurried and deadline.is_over()):
                self._count(trial, failed=failed)
            raise
        else:
            self._count(trial, failed=time.monotonic() - begun > self._slow)
        finally:
            if trial:  # even after a cancellation, so the next call can be the trial
                self._trial = False

    def _count(self, trial: bool, *, failed: bool) -> None:
        if self._failures >= self._threshold and not trial:
            return  # it began before the breaker opened, so it says nothing about now
        if not failed:
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= self._threshold:
            self._opened_at = time.monotonic()
