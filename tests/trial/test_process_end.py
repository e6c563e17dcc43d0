"""The end of the service's process is seen, told once, and waited for by nothing."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from brownout import ContractViolation, Service, seconds
from brownout.backends.model import Backend
from brownout.control import EngineProcess
from brownout.expectations import expect_process_alive, expect_recovered
from brownout.faults import BlackHole, Outage
from brownout.reaper import Reaper
from brownout.trial import Load, Probe, Stage, Trial
from brownout.trial.plan import STAMPEDE, WRITE_HISTORIES
from brownout.units import ms
from tests.controls.kiosk.declaration import declared_kiosk
from tests.core.made import READ, service
from tests.core.peer import serving
from tests.trial.recorded import Replica, recorded

LONG = seconds(30)


@pytest.fixture
def replica(
    reaper: Reaper, server: Backend, engine: EngineProcess, tmp_path: Path
) -> Iterator[Replica]:
    declared = declared_kiosk("tests.controls.broken.lifecycle:exits_when_an_idle_session_ends")
    with recorded(declared, reaper, server, engine, tmp_path) as replica:
        yield replica


@dataclass(frozen=True, slots=True)
class Killed:
    """The service's process gets SIGKILL under a black hole; then everything is asked."""

    async def run(self, stage: Stage) -> None:
        operations = stage.declared.needing_database()
        async with (
            stage.load.crowd(*operations, callers=4) as crowd,
            stage.inject(BlackHole()),
        ):
            os.kill(stage.service.pid, signal.SIGKILL)
            assert not await crowd.adds(10_000, within=LONG)
            await stage.wave(operations, 4)
            assert not await stage.until(lambda: False, within=LONG)
        await stage.steady_again()

    def longest(self, service: Service) -> timedelta:  # noqa: ARG002 (the protocol's)
        return LONG


def test_its_end_is_a_violation_that_says_how_and_when_and_what_it_logged(
    replica: Replica,
) -> None:
    recording = replica.recordings.of(Trial("outage", Outage()))
    assert recording.process is not None
    assert recording.process.code == 70
    recording.require_felt()
    with pytest.raises(ContractViolation) as caught:
        expect_process_alive(recording)
    first, *_ = str(caught.value).splitlines()
    assert first.startswith("The process ended with exit code 70, 0.")
    assert first.endswith(" s after Outage() began.")
    assert (
        caught.value.violation.timeline[-1]
        == "Unhandled 'error' event: the connection was terminated"
    )
    with pytest.raises(ContractViolation):
        expect_recovered(recording)
    assert replica.service.running, "it is started again for the next trial"


def test_a_signal_is_named_and_nothing_waits_for_a_dead_process(replica: Replica) -> None:
    began = time.monotonic()
    recording = replica.recordings.of(Trial("killed", script=Killed()))
    assert time.monotonic() - began < LONG.total_seconds() / 2
    with pytest.raises(ContractViolation, match=r"was ended by signal 9 \(SIGKILL\), 0\.\d\d s"):
        expect_process_alive(recording)


@pytest.mark.parametrize("trial", [WRITE_HISTORIES, STAMPEDE], ids=lambda one: one.id)
def test_the_long_trials_end_soon_after_the_process(replica: Replica, trial: Trial) -> None:
    pid = replica.service.pid

    def kill_in_the_first_fault() -> None:
        while not any(one.made_at for one in replica.postgres.injections):
            time.sleep(0.005)
        with suppress(ProcessLookupError):  # the fault has ended it
            os.kill(pid, signal.SIGKILL)

    killing = threading.Thread(target=kill_in_the_first_fault, daemon=True)
    killing.start()
    began = time.monotonic()
    recording = replica.recordings.of(trial)
    assert recording.process is not None
    # The fault may end it before we do.
    assert recording.process.code in {70, -signal.SIGKILL}
    assert time.monotonic() - began < LONG.total_seconds() / 2


@pytest.mark.asyncio
async def test_a_crowd_ends_with_the_service() -> None:
    alive = True
    async with serving() as peer, Probe(service(), peer.url) as probe:
        load = Load(probe, alive=lambda: alive)
        async with load.crowd(READ, callers=3) as crowd:
            assert await crowd.adds(6, within=LONG)
            alive = False
            assert not await crowd.adds(10_000, within=LONG)
            assert crowd.over
        async with load.paced(READ, every=ms(5)) as paced:
            assert not await paced.adds(1, within=LONG)
