"""A rate limiter is recognised, and its declared pace is kept to."""

import asyncio
import json
import math
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from brownout import ServiceNotReady, SettingsError, ms, seconds
from brownout.trial import Baseline, Probe, SteadyState
from brownout.trial.pace import Pace
from tests.core.made import READ, service
from tests.core.peer import OK, Reply, Request, serving, whole

ROOT = Path(__file__).parents[2]
LIMITED = whole(429)
LONG = seconds(20)


def limited_after(count: int) -> Callable[[Request], Awaitable[Reply]]:
    """Admit so many requests, then refuse."""
    asked = 0

    async def reply(_: Request) -> Reply:
        nonlocal asked
        asked += 1
        return OK if asked <= count else LIMITED

    return reply


@pytest.mark.asyncio
@pytest.mark.parametrize("admitted", [0, 3])
async def test_a_429_before_any_fault_is_told_as_a_rate_limiter_at_once(admitted: int) -> None:
    declared = service()
    async with (
        serving(limited_after(admitted)) as peer,
        Probe(declared, peer.url) as probe,
    ):
        began = time.monotonic()
        with pytest.raises(
            ServiceNotReady, match=r"rate limiter .* while nothing is broken"
        ) as told:
            await SteadyState(declared).require(probe)
    assert time.monotonic() - began < 1
    assert "Service(pace=" in told.value.remedy
    assert "the declared pace: none" in told.value.tried[0]


@pytest.mark.asyncio
async def test_a_service_that_sheds_for_a_moment_after_a_fault_has_its_time() -> None:
    replies = [LIMITED, LIMITED]

    async def shed(_: Request) -> Reply:
        return replies.pop() if replies else OK

    async with serving(shed) as peer, Probe(service(), peer.url) as probe:
        assert (await SteadyState(service()).reached(probe, within=LONG)).steady


@pytest.mark.asyncio
async def test_a_limiter_that_goes_on_refusing_says_nothing_of_the_recovery() -> None:
    async with serving(LIMITED) as peer, Probe(service(), peer.url) as probe:
        with pytest.raises(ServiceNotReady, match="rate limiter"):
            await SteadyState(service()).reached(probe, within=ms(60))


@pytest.mark.asyncio
async def test_a_baseline_that_meets_a_limiter_asks_for_the_pace() -> None:
    async with (
        serving(limited_after(50)) as peer,
        Probe(service(pace=5000), peer.url) as probe,
    ):
        with pytest.raises(ServiceNotReady, match="rate limiter") as told:
            await Baseline().of(READ, probe)
    assert "the declared pace: 5000 requests a second" in told.value.tried[0]


@pytest.mark.asyncio
async def test_all_callers_together_keep_to_the_pace() -> None:
    arrived: list[float] = []

    async def note(_: Request) -> Reply:
        arrived.append(time.monotonic())
        return OK

    pace = Pace(50)
    async with (
        serving(note) as peer,
        Probe(service(), peer.url, pace=pace) as one,
        Probe(service(), peer.url, pace=pace, keep_alive=False) as other,
    ):
        answers, more = await asyncio.gather(one.burst(READ, 10), other.burst(READ, 10))
    assert len(arrived) == 20
    assert arrived[-1] - arrived[0] > 19 / 50 * 0.9
    assert all(answer.took < ms(200) for answer in answers + more), "waiting is not the service's"


@pytest.mark.asyncio
async def test_the_declared_pace_is_a_probe_s_own() -> None:
    async with serving() as peer, Probe(service(pace=20), peer.url) as probe:
        began = time.monotonic()
        await probe.burst(READ, 5)
    assert time.monotonic() - began > 4 / 20 * 0.9


@pytest.mark.parametrize("pace", [0, -1, math.inf, math.nan, "fast", True])
def test_nonsense_is_refused(pace: object) -> None:
    with pytest.raises(SettingsError, match=r"Service: pace is .*, but a number of requests"):
        service(pace=pace)


# -- the whole chain -----------------------------------------------------------------------------

JUDGED = (
    "suites/test_outage.py::test_a_database_that_is_gone_is_reported_as_unavailable[outage]",
    "suites/test_outage.py::test_a_refused_connection_fails_fast[outage]",
    "suites/test_slow_database.py::test_requests_end_by_the_deadline[latency]",
    "suites/test_recovery.py::test_the_service_comes_back_by_itself[outage]",
    "suites/test_recovery.py::test_silent_connections_are_replaced[silent_connections]",
    "suites/test_health_checks.py::test_readiness_fails_without_the_database[outage]",
    "suites/test_overload.py::test_goodput_holds_at_twice_of_what_saturates[overload]",
)


def judged(folder: Path, name: str) -> tuple[int, dict[str, str], str]:
    """The exit code, the verdicts and the output of a run on a declaration of `declared`."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *JUDGED),
            f"--brownout-service=tests.trial.declared:{name}",
            f"--brownout-report={folder}",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    report = json.loads((folder / "brownout.json").read_text("utf-8"))
    verdicts = {each["id"]: each["verdict"] for each in report["behaviours"]}
    return run.returncode, verdicts, run.stdout


def test_a_limiter_that_is_not_declared_is_told_once_and_judges_nothing(tmp_path: Path) -> None:
    code, verdicts, output = judged(tmp_path, "limited")
    assert set(verdicts.values()) == {"unknown"}, output
    assert code == 2
    assert output.count("What to do: Declare how many requests a second it admits") == 1, output


def test_at_its_declared_pace_it_is_judged_like_any_other(tmp_path: Path) -> None:
    code, verdicts, output = judged(tmp_path, "limited_and_declared")
    assert verdicts.pop("L1") == "not assessed", output
    # At this pace it may be seen too late that new connections work.
    assert verdicts.pop("V6") in ("kept", "not assessed"), output
    assert set(verdicts.values()) == {"kept"}, output
    assert code == 0
