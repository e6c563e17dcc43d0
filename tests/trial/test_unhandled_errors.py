"""After an unhandled exception uvicorn closes the kept-alive connection without saying so: that is
not held against the service."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from brownout import Completion, Health, Operation
from brownout.expectations import expect_all_succeed
from brownout.login import Address, Login
from brownout.service import RunningService
from brownout.trial import Load, Probe
from brownout.trial.watch import HealthWatch
from brownout.units import ms, seconds
from tests.core.made import service
from tests.core.peer import PATIENCE

pytestmark = pytest.mark.asyncio

LIVE = Operation.route("/live")
FAIL = Operation.read("fail", "GET", "/fail")
NO_DATABASE = Login(Address("127.0.0.1", 1), "none", "none", "none")


@pytest.fixture(params=["h11", "httptools"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningService]:
    """The service, with each of uvicorn's two ways to speak HTTP."""
    uvicorn = [sys.executable, "-m", "uvicorn", "tests.trial.unhandled:app", "--port", "{port}"]
    one = RunningService(
        service(
            [FAIL],
            command=[*uvicorn, "--http", request.param],
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
            health=Health(live="/live", ready=None, period=ms(8)),
        ),
        NO_DATABASE,
        folder=tmp_path,
        environment={"BROWNOUT_TEST_OF": str(os.getpid())},
        announce=lambda _: None,
    )
    one.start()
    yield one
    one.stop()


async def test_liveness_beside_requests_that_fail_is_never_dropped(
    running: RunningService,
) -> None:
    declared = running.declaration
    async with (
        Probe(declared, running.url) as probe,
        Probe(declared, running.url, keep_alive=False) as fresh,
        Load(probe).crowd(FAIL, callers=4) as crowd,
    ):
        watch = HealthWatch("/live", declared.health, fresh)
        watching = asyncio.create_task(watch.run())
        async with asyncio.timeout(PATIENCE * 3):
            while len(watch.answers) < 200:  # noqa: ASYNC110 - a watch has no event for it
                await asyncio.sleep(0.005)
        watching.cancel()
        await asyncio.wait([watching])
    expect_all_succeed(watch.answers)
    assert len(crowd.answers) >= 4
    assert {one.status for one in crowd.answers} == {500}


async def test_of_200_requests_behind_failing_ones_none_is_dropped(
    running: RunningService,
) -> None:
    async with Probe(running.declaration, running.url) as probe:
        failed = []
        alive = []
        for _ in range(200):
            failed.append(await probe.ask(FAIL))
            alive.append(await probe.ask(LIVE))
        async with Load(probe).crowd(FAIL, LIVE, callers=4) as crowd:
            assert await crowd.adds(50, within=seconds(PATIENCE))
    expect_all_succeed(alive)
    assert {one.status for one in failed} == {500}
    endings = Counter(one.ending for one in (*failed, *alive, *crowd.answers))
    assert set(endings) == {Completion.ANSWERED}
