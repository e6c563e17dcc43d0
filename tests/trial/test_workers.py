"""Where all workers below a supervisor end together by a fault, that is seen; nothing else is."""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from brownout import Budget, ContractViolation, Health, Operation, Service, seconds
from brownout.backends.model import Backend
from brownout.control import EngineProcess
from brownout.expectations import expect_process_alive
from brownout.faults import Fault, Outage, Reset, TerminatedBackends
from brownout.reaper import Reaper
from brownout.trial import Recording, Trial
from brownout.trial.workers import Workers
from tests.core.peer import PATIENCE
from tests.trial.recorded import Replica, recorded


def under(replica: Replica, fault: Fault) -> Recording:
    """Recorded once the workers work: the port is open before."""
    port = replica.postgres.login.address.port
    deadline = time.monotonic() + PATIENCE
    while not Workers(replica.service.leaders, port).at_work():
        assert time.monotonic() < deadline, "there are no two workers"
        time.sleep(0.02)
    return replica.recordings.of(Trial("idle", fault))


@pytest.fixture
def replica(
    how: str, workers: int, reaper: Reaper, server: Backend, engine: EngineProcess, tmp_path: Path
) -> Iterator[Replica]:
    declared = Service(
        command=[sys.executable, str(Path(__file__).parent / "prefork.py"), "{port}", how],
        env={"DSN": "{dsn}"},
        health=Health(live=None, ready=None),
        operations=[Operation.read("list", "GET", "/things")],
        budget=Budget(request=seconds(1), recovery=seconds(2), pool=4),
        workers=workers,
    )
    with recorded(declared, reaper, server, engine, tmp_path) as replica:
        yield replica


@pytest.mark.parametrize(("how", "workers"), [("exits", 2)])
@pytest.mark.parametrize(
    "fault", [Outage(), Reset(), TerminatedBackends()], ids=["outage", "reset", "terminated"]
)
def test_workers_that_end_together_below_their_supervisor_are_seen(
    replica: Replica, fault: Fault
) -> None:
    recording = under(replica, fault)
    assert recording.process is None
    assert recording.same_process
    with pytest.raises(ContractViolation) as caught:
        expect_process_alive(recording)
    first, *_ = str(caught.value).splitlines()
    name = type(fault).__name__
    assert re.fullmatch(rf"All 2 workers ended, \d\.\d\d s after {name}\(\) began\.", first)
    violation = caught.value.violation
    assert violation.facts["workers"] == ", ".join(map(str, recording.injected[0].workers))
    assert "the connection was terminated" in violation.timeline
    assert replica.service.pid not in recording.injected[0].workers


@pytest.mark.parametrize(
    ("how", "workers"),
    [("lives", 2), ("15", 2), ("50", 2), ("exits", 1)],
    ids=["sound", "few requests each", "more requests each", "not declared as workers"],
)
def test_workers_that_live_or_end_by_themselves_are_not_accused(replica: Replica) -> None:
    recording = under(replica, Reset())
    assert recording.same_process
    expect_process_alive(recording)
