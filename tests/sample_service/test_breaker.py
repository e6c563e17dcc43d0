"""The circuit breaker's states, with a simulated clock."""

import asyncio
from math import inf

import pytest

from sample_service.problems import (
    CIRCUIT_OPEN,
    DATABASE_UNAVAILABLE,
    OUT_OF_STOCK,
    Problem,
    ProblemType,
)
from sample_service.resilience import breaker as module
from sample_service.resilience.breaker import Breaker, State
from sample_service.resilience.deadline import Deadline


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Stand in for `time.monotonic`."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    assert clock.now
    return Breaker(threshold=3, rest=1.0, slow=0.5)


def fail(breaker: Breaker, kind: ProblemType = DATABASE_UNAVAILABLE) -> None:
    with pytest.raises(Problem) as raised, breaker.guard():
        raise Problem(kind, "")
    assert raised.value.kind is kind


def opened(breaker: Breaker) -> Breaker:
    for _ in range(3):
        fail(breaker)
    return breaker


def test_it_opens_after_failures_in_a_row(breaker: Breaker) -> None:
    opened(breaker)
    with pytest.raises(Problem) as refused, breaker.guard():
        pytest.fail("The block ran although the breaker is open.")
    assert refused.value.kind is CIRCUIT_OPEN


def test_a_success_in_between_resets_the_count(breaker: Breaker) -> None:
    for _ in range(5):
        fail(breaker)
        with breaker.guard():
            pass
    assert breaker.state is State.CLOSED


def test_errors_of_callers_count_as_successes(breaker: Breaker) -> None:
    for _ in range(10):
        fail(breaker, OUT_OF_STOCK)
    assert breaker.state is State.CLOSED


def test_missed_deadlines_of_hurried_callers_do_not_open_it(breaker: Breaker) -> None:
    for _ in range(10):
        with pytest.raises(TimeoutError), breaker.guard(Deadline(0.0, hurried=True)):
            raise TimeoutError
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize("deadline", [Deadline(0.0), Deadline(inf, hurried=True)])
def test_errors_under_our_deadline_or_before_a_hurried_one_open_it(
    breaker: Breaker, deadline: Deadline
) -> None:
    for _ in range(3):
        with pytest.raises(ConnectionResetError), breaker.guard(deadline):
            raise ConnectionResetError
    assert breaker.state is State.OPEN


def test_slow_successes_open_it(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        with breaker.guard():
            clock.now += 0.6
    assert breaker.state is State.OPEN


@pytest.mark.parametrize(("waited", "state"), [(0.6, State.OPEN), (0.4, State.CLOSED)])
def test_a_cancelled_call_counts_as_a_failure_only_if_it_was_slow(
    breaker: Breaker, clock: Clock, waited: float, state: State
) -> None:
    def leave() -> None:
        clock.now += waited
        raise asyncio.CancelledError

    for _ in range(3):
        with pytest.raises(asyncio.CancelledError), breaker.guard():
            leave()
    assert breaker.state is state


@pytest.mark.parametrize("rested", [False, True])
def test_a_success_that_began_before_it_opened_does_not_close_it(
    breaker: Breaker, clock: Clock, rested: bool
) -> None:
    with breaker.guard():
        opened(breaker)
        clock.now += 1.0 if rested else 0.1
    assert breaker.state is (State.HALF_OPEN if rested else State.OPEN)


def test_a_failure_that_began_before_it_opened_does_not_prolong_its_rest(
    breaker: Breaker, clock: Clock
) -> None:
    def fail_late() -> None:
        opened(breaker)
        clock.now += 0.9
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError), breaker.guard():
        fail_late()
    clock.now += 0.1
    assert breaker.state is State.HALF_OPEN


def test_after_its_rest_one_trial_decides(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 1.0
    with breaker.guard(), pytest.raises(Problem), breaker.guard():
        pytest.fail("A second trial ran during the first.")
    assert breaker.state is State.CLOSED


def test_a_failed_trial_opens_it_again(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 1.0
    fail(breaker)
    assert breaker.state is State.OPEN


def test_after_a_cancelled_trial_the_next_call_is_the_trial(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 1.0
    with pytest.raises(asyncio.CancelledError), breaker.guard():
        raise asyncio.CancelledError
    assert breaker.state is State.HALF_OPEN
