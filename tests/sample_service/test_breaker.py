"""The circuit breaker's states, on a clock of the test's own."""

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
    """Stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """As `time.monotonic`, in seconds."""
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
        pytest.fail("nothing runs while it is open")
    assert refused.value.kind is CIRCUIT_OPEN


def test_a_success_in_between_begins_the_count_anew(breaker: Breaker) -> None:
    for _ in range(5):
        fail(breaker)
        with breaker.guard():
            pass
    assert breaker.state is State.CLOSED


def test_the_callers_errors_count_as_answers(breaker: Breaker) -> None:
    for _ in range(10):
        fail(breaker, OUT_OF_STOCK)
    assert breaker.state is State.CLOSED


def test_callers_in_a_hurry_do_not_open_it(breaker: Breaker) -> None:
    for _ in range(10):
        with pytest.raises(TimeoutError), breaker.guard(Deadline(0.0, hurried=True)):
            raise TimeoutError
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize("deadline", [Deadline(0.0), Deadline(inf, hurried=True)])
def test_a_deadline_of_ours_and_an_error_before_the_callers_do(
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
def test_callers_who_leave_count_where_they_waited_for_long(
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
def test_what_began_before_it_opened_does_not_close_it(
    breaker: Breaker, clock: Clock, rested: bool
) -> None:
    with breaker.guard():
        opened(breaker)
        clock.now += 1.0 if rested else 0.1
    assert breaker.state is (State.HALF_OPEN if rested else State.OPEN)


def test_what_began_before_it_opened_does_not_prolong_its_rest(
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
        pytest.fail("a second trial must wait for the first")
    assert breaker.state is State.CLOSED


def test_a_failed_trial_opens_it_again(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 1.0
    fail(breaker)
    assert breaker.state is State.OPEN


def test_a_trial_that_was_cancelled_lets_the_next_one_try(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 1.0
    with pytest.raises(asyncio.CancelledError), breaker.guard():
        raise asyncio.CancelledError
    assert breaker.state is State.HALF_OPEN
