"""What a service waits for a core that other programs have is not blamed on it."""

import asyncio
import subprocess
import sys
import time

import pytest

from brownout import Operation, seconds
from brownout.trial import Probe
from brownout.trial.clock import Clock
from brownout.trial.gaps import Gap, apart, between
from brownout.trial.starvation import Starvation, Times, lost_share
from tests.core.made import service
from tests.core.peer import PATIENCE
from tests.trial.crowd import BUSY, CORE, rivals, running


def until_waits(starvation: Starvation) -> None:
    deadline = time.monotonic() + PATIENCE
    while not starvation.waits:
        assert time.monotonic() < deadline, "no wait was noted"
        time.sleep(0.01)


# -- what the system counts ------------------------------------------------------------------------


def test_a_process_beside_busy_ones_waits() -> None:
    with rivals(), running(BUSY) as it, Starvation(lambda: [it.pid]) as starvation:
        until_waits(starvation)
    assert all(0 < wait.share <= 1 for wait in starvation.waits)


def test_a_descendant_waits_as_well() -> None:
    parent = (
        "import subprocess, sys, os;"
        f"os.sched_setaffinity(0, {{{CORE}}});"
        f"child = subprocess.Popen([sys.executable, '-S', '-c', {BUSY!r}]);"
        "sys.stdin.read(1); child.kill(); child.wait()"
    )
    with (
        rivals(),
        subprocess.Popen([sys.executable, "-S", "-c", parent], stdin=subprocess.PIPE) as process,
        Starvation(lambda: [process.pid]) as starvation,
    ):
        try:
            until_waits(starvation)
        finally:
            process.communicate(b".")


def test_a_process_that_sleeps_waits_for_no_core() -> None:
    asleep = "import signal; signal.pause()"
    with (
        rivals(),
        running(asleep) as it,
        running(BUSY) as busy,
        Starvation(lambda: [it.pid]) as starvation,
        Starvation(lambda: [busy.pid]) as beside,
    ):
        deadline = time.monotonic() + PATIENCE
        while not beside.waits or starvation.waits:  # while it starts it does want a core
            assert time.monotonic() < deadline, "it waits although it sleeps"
            starvation.waits.clear()
            beside.waits.clear()
            time.sleep(0.3)


def test_a_process_that_has_ended_is_left_out() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "pass"]) as process:
        pid = process.pid
    with Clock(lambda: [pid]) as clock:
        time.sleep(0.2)
    assert clock._starvation.waits == []


SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("before", "after", "cores", "share"),
    [
        ({(1, 1): (0, 0)}, {(1, 1): (0, SECOND // 2)}, 2, 0.5),
        ({(1, 1): (0, 0)}, {(1, 1): (SECOND // 2, SECOND // 2)}, 1, 0.25),
        ({(1, 1): (0, 0), (2, 2): (0, 0)}, {(1, 1): (SECOND, 0), (2, 2): (0, SECOND)}, 1, 0.0),
        ({(1, 1): (0, 0), (1, 2): (0, 0)}, {(1, 1): (0, SECOND), (1, 2): (0, SECOND)}, 2, 1.0),
        ({(1, 1): (5, 5)}, {(1, 1): (5, 5)}, 2, 0.0),
        ({}, {(1, 1): (0, SECOND)}, 2, 0.0),
        ({(1, 1): (0, 0)}, {(1, 1): (0, 0), (1, 2): (0, SECOND // 2)}, 2, 0.5),
        ({(1, 1): (0, 0)}, {}, 2, 0.0),
    ],
    ids=[
        "others had the cores",
        "half of it its own load",
        "all of it its own load",
        "at most all of the time",
        "nothing",
        "a new process",
        "a new thread",
        "an ended thread",
    ],
)
def test_the_service_is_not_excused_by_its_own_load(
    before: Times, after: Times, cores: int, share: float
) -> None:
    assert lost_share(before, after, 1.0, cores=cores) == pytest.approx(share)


# -- gaps and waits --------------------------------------------------------------------------------


def test_a_wait_counts_by_its_share() -> None:
    assert Gap(10, 12, 0.25).within(11, 20) == 0.25


def test_what_lies_in_a_gap_is_not_counted_twice() -> None:
    waits = [Gap(0, 1, 0.5), Gap(1, 2, 0.5), Gap(2, 3, 0.5)]
    kept = apart(waits, [Gap(0.5, 2)])
    assert kept == [Gap(0, 1, 0.25), Gap(2, 3, 0.5)]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (2.5, 9, slice(1, 3)),
        (2.5, 4, slice(1, 2)),
        (1, 2, slice(0, 0)),
        (5, 9, slice(0, 0)),
        (-1, 9, slice(0, 3)),
        (0.2, 0.4, slice(0, 1)),
    ],
)
def test_only_gaps_that_overlap_are_looked_at(start: float, end: float, found: slice) -> None:
    gaps = [Gap(0, 1), Gap(2, 3), Gap(4, 5)]
    assert between(gaps, start, end) == gaps[found]


def test_an_hour_on_a_busy_machine_costs_a_request_no_more_than_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    clock._gaps += [Gap(at / 20, at / 20 + 0.03) for at in range(72_000)]
    clock._starvation.waits += [Gap(at / 20, at / 20 + 0.05, 0.5) for at in range(72_000)]
    looked_at = []
    within = Gap.within

    def noted(gap: Gap, start: float, end: float) -> float:
        looked_at.append(gap)
        return within(gap, start, end)

    monkeypatch.setattr(Gap, "within", noted)
    # Three gaps at its edges, and half of the rest of 20 waits.
    assert clock.forgiven(60.0, 61.0).total_seconds() == pytest.approx(0.09 + (1 - 0.09) / 2)
    assert len(looked_at) < 100


def test_a_request_is_forgiven_what_the_service_waited_and_never_more_than_it_took() -> None:
    clock = Clock()
    clock._starvation.waits += [Gap(10.0, 10.5, 0.4), Gap(10.5, 11.0, 1.0)]
    clock._gaps.append(Gap(10.9, 11.0))
    assert clock.forgiven(10.0, 11.0).total_seconds() == pytest.approx(0.2 + 0.5)
    assert clock.lost(10.0, 10.5).total_seconds() == pytest.approx(0.2)
    assert clock.forgiven(10.6, 10.8).total_seconds() == pytest.approx(0.2 * 0.8)
    assert [(gap.start, round(gap.share, 6)) for gap in clock.gaps] == [
        (10.0, 0.4),
        (10.5, 0.8),
        (10.9, 1.0),
    ]


# -- requests --------------------------------------------------------------------------------------

COMPUTED = 0.05
SLEPT = 2.0  # long beside two looks, of which one is at the request's beginning, one at its end
SERVER = f"""
import http.server, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        until = time.process_time() + {COMPUTED}
        while self.path == "/computes" and time.process_time() < until:
            pass
        if self.path == "/sleeps":
            time.sleep({SLEPT})
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


async def asked_on_a_crowded_core(path: str) -> tuple[float, float]:
    """How many seconds a request took, and how many of them are forgiven."""
    with (
        rivals(),
        running(SERVER) as process,
        Clock(lambda: [process.pid]) as clock,
    ):
        assert process.stdout is not None
        port = int(await asyncio.to_thread(process.stdout.readline))
        asked = Operation.read("it", "GET", path)
        async with Probe(service([asked]), f"http://127.0.0.1:{port}", clock=clock) as probe:
            answer = await probe.ask(asked, patience=seconds(PATIENCE))
        assert answer.succeeded
    forgiven = clock.forgiven(answer.started, answer.finished)
    return answer.elapsed.total_seconds(), forgiven.total_seconds()


@pytest.mark.asyncio
async def test_most_of_what_others_took_is_forgiven() -> None:
    elapsed, forgiven = await asked_on_a_crowded_core("/computes")
    assert elapsed - COMPUTED > COMPUTED, "there was no crowd"
    assert forgiven > (elapsed - COMPUTED) / 2


@pytest.mark.asyncio
async def test_what_the_service_sleeps_is_not_forgiven() -> None:
    elapsed, forgiven = await asked_on_a_crowded_core("/sleeps")
    assert elapsed - forgiven > SLEPT * 0.8
