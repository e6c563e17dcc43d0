"""The clock notes when this process did not run, whatever kept it from running."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from brownout.trial.clock import Clock
from brownout.trial.gaps import Gap
from tests.core.peer import PATIENCE

CHILD = """
import json, sys
from brownout.trial.clock import Clock

with Clock() as clock:
    print("up", flush=True)
    for _ in sys.stdin:
        print(json.dumps([[gap.start, gap.end] for gap in clock.gaps]), flush=True)
"""


class Watched:
    """A process that watches its own clock."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert self._said() == "up"

    def stop(self, lasting: float) -> tuple[float, float]:
        """Stop it for so many seconds; from when to when it certainly did not run."""
        os.kill(self._process.pid, signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)
        start = time.monotonic()
        time.sleep(lasting)
        end = time.monotonic()
        os.kill(self._process.pid, signal.SIGCONT)
        return start, end

    def gaps(self) -> list[Gap]:
        """What it has noted so far."""
        assert self._process.stdin is not None
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        return [Gap(*gap) for gap in json.loads(self._said())]

    def gaps_of(self, start: float, end: float) -> list[Gap]:
        """Those that overlap this time, once there is one."""
        deadline = time.monotonic() + PATIENCE
        while not (found := [gap for gap in self.gaps() if gap.within(start, end)]):
            assert time.monotonic() < deadline, "no gap was noted"
        return found

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture
def watched() -> Iterator[Watched]:
    command = [sys.executable, "-c", CHILD]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Watched(process)
        os.kill(process.pid, signal.SIGCONT)
        assert process.stdin is not None
        process.stdin.close()
    assert process.returncode == 0


def test_a_stopped_process_is_a_gap_from_its_stop_to_its_continuation(watched: Watched) -> None:
    start, end = watched.stop(0.3)
    [gap] = watched.gaps_of(start, end)
    # Up to 5 ms pass until the next look is due; what lies around the stop, the machine took.
    assert gap.within(start, end) >= end - start - 0.006
    assert gap.end - gap.start < end - start + 0.25


def test_each_stop_is_a_gap_of_its_own(watched: Watched) -> None:
    first = watched.stop(0.1)
    seen = watched.gaps_of(*first)
    second = watched.stop(0.1)
    later = watched.gaps_of(*second)
    assert len(seen) == len(later) == 1
    assert seen != later
    assert watched.gaps() == sorted(watched.gaps(), key=lambda gap: gap.start)


def test_a_process_that_runs_has_no_gap_of_importance(watched: Watched) -> None:
    time.sleep(0.5)
    assert all(gap.end - gap.start < 0.2 for gap in watched.gaps())


def test_a_computation_that_holds_the_interpreter_is_a_gap() -> None:
    with Clock() as clock:
        started = time.monotonic()
        power = 3**1_500_000  # one operation: no other thread runs until it is done
        ended = time.monotonic()
        deadline = ended + PATIENCE
        while not any(gap.end >= ended for gap in clock.gaps) and time.monotonic() < deadline:
            time.sleep(0.001)
    assert power
    lost = sum(gap.within(started, ended) for gap in clock.gaps)
    assert lost >= ended - started - 0.03


def test_waiting_in_this_process_is_no_gap() -> None:
    with Clock() as clock:
        time.sleep(0.3)
    assert sum(gap.end - gap.start for gap in clock.gaps) < 0.2


def test_the_thread_ends_with_the_block() -> None:
    def names() -> list[str]:
        return [thread.name for thread in threading.enumerate()]

    with Clock():
        assert "brownout-clock" in names()
    assert "brownout-clock" not in names()


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [(0, 20, 5), (11, 12, 1), (0, 12, 2), (14, 20, 1), (0, 10, 0), (15, 20, 0), (0, 1, 0)],
)
def test_only_what_lies_within_a_time_counts(start: float, end: float, seconds: float) -> None:
    assert Gap(10, 15).within(start, end) == seconds


def test_what_a_caller_misses_in_the_middle_of_a_request_does_not_excuse_a_late_answer() -> None:
    clock = Clock()
    clock._gaps += [Gap(9.0, 9.1), Gap(10.02, 10.2), Gap(10.5, 10.7), Gap(10.9, 11.0)]
    assert clock.forgiven(10.0, 11.0).total_seconds() == pytest.approx(0.18 + 0.1)
    assert clock.lost(10.0, 11.0).total_seconds() == pytest.approx(0.18 + 0.2 + 0.1)
    assert clock.forgiven(10.3, 10.45).total_seconds() == 0


def test_sending_may_take_many_turns_of_the_loop() -> None:
    clock = Clock()
    clock._late += [Gap(9.9, 10.1), Gap(10.15, 10.4), Gap(10.5, 10.7), Gap(10.75, 10.95)]
    assert clock.forgiven(10.0, 11.0).total_seconds() == pytest.approx(0.1 + 0.2)
    # Sent at 10.3, so the second gap counts; its answer came at 10.6, so does the third.
    asked = clock.forgiven(10.0, 11.0, (10.3, 10.6))
    assert asked.total_seconds() == pytest.approx(0.1 + 0.25 + 0.2 + 0.2)
    # What lies between the two is the service's.
    assert clock.forgiven(10.0, 11.0, (10.05, 10.98)).total_seconds() == pytest.approx(0.1 + 0.2)


def test_what_thread_and_loop_note_counts_once() -> None:
    clock = Clock()
    clock._gaps.append(Gap(10.1, 10.4))
    clock._late += [Gap(10.0, 10.2), Gap(10.8, 11.0)]
    assert clock.forgiven(10.0, 11.0, (10.15, 10.9)).total_seconds() == pytest.approx(0.4 + 0.2)


def test_a_loop_that_is_always_late_forgives_no_more_than_the_edges() -> None:
    """However the gaps that the thread notes join those of the loop."""
    clock = Clock()
    clock._late += [Gap(10 + turn / 10, 10.095 + turn / 10) for turn in range(30)]
    clock._gaps += [Gap(10.09 + turn / 10, 10.11 + turn / 10) for turn in range(30)]
    assert clock.forgiven(10.0, 13.0, (10.02, 12.98)).total_seconds() < 0.35


def test_a_loop_that_is_late_uses_up_patience() -> None:
    """The service does not wait for it."""
    clock = Clock()
    clock._late.append(Gap(10.0, 11.0))
    assert clock.lost(10.0, 11.0).total_seconds() == 0
    assert clock.gaps == ()


def busy(lasting: float) -> None:
    until = time.monotonic() + lasting
    while time.monotonic() < until:
        pass


@pytest.mark.asyncio(loop_scope="function")
async def test_a_loop_with_much_to_do_is_late_although_threads_run() -> None:
    loop = asyncio.get_running_loop()
    with Clock() as clock, clock.heard_by(loop):
        await asyncio.sleep(0)
        started = time.monotonic()
        for _ in range(100):
            loop.call_soon(busy, 0.003)
        await asyncio.sleep(0)  # all of these come first
        ended = time.monotonic()
        assert clock.forgiven(started, ended).total_seconds() >= 0.25, "before it is noted"
        await asyncio.sleep(0.05)
    assert clock.forgiven(started, ended).total_seconds() >= 0.25
    assert clock._heard is None


@pytest.mark.asyncio(loop_scope="function")
async def test_an_idle_loop_is_hardly_late() -> None:
    with Clock() as clock, clock.heard_by(asyncio.get_running_loop()):
        await asyncio.sleep(0.5)
    assert all(gap.end - gap.start < 0.2 for gap in clock._late)
