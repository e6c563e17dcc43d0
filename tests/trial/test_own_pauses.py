"""Time in which this process did not run is not blamed on the service."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from brownout.trial import Probe
from brownout.trial.clock import Clock
from brownout.units import ms, seconds
from tests.core.made import READ, service
from tests.core.peer import OK, SILENCE, Reply, Request, serving

ROOT = Path(__file__).parents[2]
GAP = 0.3  # seconds; more than any margin of the kiosk's promises that are judged here
PATIENCE = 120.0

JUDGED = (
    "suites/test_steady_state.py",
    "suites/test_health_checks.py::test_liveness_answers_throughout[black_hole]",
    "suites/test_health_checks.py::test_liveness_answers_throughout[latency]",
    "suites/test_health_checks.py::test_readiness_fails_without_the_database[outage]",
    "suites/test_health_checks.py::test_readiness_comes_back[outage]",
    "suites/test_health_checks.py::test_readiness_answers_when_the_database_never_does[black_hole]",
    "suites/test_outage.py::test_a_refused_connection_fails_fast[outage]",
    "suites/test_slow_database.py::test_requests_end_by_the_deadline[latency]",
    "suites/test_event_loop.py::test_reads_wait_side_by_side[side_by_side]",
    "suites/test_recovery.py::test_the_service_comes_back_by_itself[outage]",
)


@contextmanager
def stopped_again_and_again(pid: int, *, every: float, until: threading.Event) -> Iterator[None]:
    """Stop the process for 300 ms again and again, from outside, as long as it runs."""

    def stop() -> None:
        # A run that ends between two signals has been waited for by the time of the second one.
        with suppress(ProcessLookupError):
            while not until.wait(every):
                os.kill(pid, signal.SIGSTOP)
                time.sleep(GAP)
                os.kill(pid, signal.SIGCONT)

    stopping = threading.Thread(target=stop)
    stopping.start()
    try:
        yield
    finally:
        until.set()
        stopping.join()


def judged(folder: Path, declared: str, *suites: str) -> tuple[int, dict[str, object], str]:
    """The exit code, the report and the output of a run that was stopped again and again."""
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *suites),
        f"--brownout-service={declared}",
        f"--brownout-report={folder}",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        with stopped_again_and_again(run.pid, every=0.7, until=threading.Event()):
            output, _ = run.communicate(timeout=PATIENCE)
    return run.returncode, json.loads((folder / "brownout.json").read_text("utf-8")), output


def forgiven(folder: Path) -> float:
    """How many seconds were forgiven in all recordings."""
    recordings = [json.loads(path.read_text()) for path in (folder / "recordings").iterdir()]
    answers = [
        answer
        for recording in recordings
        for kind in ("answers", "liveness", "readiness")
        for answer in recording[kind]
    ]
    return sum(float(answer.get("forgiven", 0.0)) for answer in answers)


def test_stops_of_300_ms_break_no_promise(tmp_path: Path) -> None:
    code, _, output = judged(tmp_path, "tests.trial.declared:sound", *JUDGED)
    assert code == 0, output
    assert forgiven(tmp_path) > GAP


def test_a_service_that_is_late_by_itself_is_caught_beside_such_stops(tmp_path: Path) -> None:
    _, report, output = judged(
        tmp_path,
        "tests.controls.declared:no_timeouts",
        "suites/test_slow_database.py::test_requests_end_by_the_deadline[latency]",
    )
    behaviours = report["behaviours"]
    assert isinstance(behaviours, list)
    broken = {each["id"] for each in behaviours if each["verdict"] == "broken"}
    assert "T1" in broken, output
    assert forgiven(tmp_path) > GAP


# -- the clock -----------------------------------------------------------------------------------


def hold(duration: float) -> None:
    """Keep every thread of this process from running: as SIGSTOP, but without a helper."""
    helper = subprocess.Popen(
        [
            *(sys.executable, "-S", "-c"),
            f"import os, signal, time; os.kill({os.getpid()}, signal.SIGSTOP);"
            f"time.sleep({duration}); os.kill({os.getpid()}, signal.SIGCONT)",
        ]
    )
    helper.wait()


def test_a_stop_is_a_gap() -> None:
    with Clock() as clock:
        began = time.monotonic()
        hold(GAP)
        ended = time.monotonic()
        lost = clock.lost(began, ended)
    assert seconds(GAP) * 0.9 < lost < timedelta(seconds=ended - began)
    assert clock.lost(began, began) == timedelta(0)
    assert clock.lost(ended + 1, ended + 2) == timedelta(0)


def test_a_clock_that_does_not_run_knows_of_no_gap() -> None:
    clock = Clock()
    assert clock.lost(0.0, time.monotonic()) == timedelta(0)


@pytest.mark.asyncio
async def test_a_stop_uses_up_no_patience_and_is_forgiven() -> None:
    async def late(_: Request) -> Reply:
        await asyncio.sleep(0.2)
        return OK

    with Clock() as clock:
        async with serving(late) as peer, Probe(service(), peer.url, clock=clock) as probe:
            for _ in range(20):
                asking = asyncio.create_task(probe.ask(READ, patience=ms(400)))
                await asyncio.sleep(0.1)
                hold(0.5)
                held = time.monotonic()
                answer = await asking
                assert answer.succeeded, "the patience was over while this process stood still"
                # On a busy machine it may come later than a stop can explain.
                if answer.finished < held + 0.03:
                    break
            else:
                pytest.fail("no answer came right after a stop")
    assert answer.elapsed > ms(500)
    assert answer.forgiven > ms(450)


@pytest.mark.asyncio
async def test_patience_still_ends() -> None:
    with Clock() as clock:
        async with (
            serving(lambda _: asyncio.sleep(0, SILENCE)) as peer,
            Probe(service(), peer.url, clock=clock) as probe,
        ):
            answer = await probe.ask(READ, patience=ms(200))
    assert not answer.succeeded
    assert ms(190) < answer.took < ms(1000)
