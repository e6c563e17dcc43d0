"""The recorder with a real service, engine and PostgreSQL, and services that end, hang or stay
away."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from brownout import Budget, Completion, ContractViolation, Health, Operation, Service
from brownout.backends.model import Backend
from brownout.control import EngineProcess
from brownout.expectations import (
    expect_acknowledged_applied,
    expect_all_succeed,
    expect_none_doubled,
    expect_none_succeed,
    expect_ready_again,
    expect_recovered,
    expect_unavailable,
    expect_unready,
)
from brownout.faults import BlackHole, Outage, TerminatedBackends
from brownout.postgres import Postgres
from brownout.reaper import Reaper
from brownout.service import RunningService
from brownout.trial import Recorder, Recording, Trial
from brownout.units import ms, seconds
from tests.core.fakes import FakeReferee

FRAIL = str(Path(__file__).with_name("frail.py"))
READ = Operation.read("list", "GET", "/things")
PLACE = Operation.write(
    "place", "POST", "/things/{token}", applied="select count(*) from things where token = $1"
)
OUTAGE = Trial("outage", Outage())
STEADY = Trial("steady", waves=1)

Starting = Callable[..., "Chain"]


class Chain:
    """A service with a weakness, its database and a recorder."""

    def __init__(self, service: RunningService, postgres: Postgres) -> None:
        self.service = service
        self.postgres = postgres
        self._recorder = Recorder(service, postgres, FakeReferee().as_referee)

    def record(self, trial: Trial) -> Recording:
        """What was seen in the trial."""
        return asyncio.run(self._recorder.record(trial))


@pytest.fixture
def start(
    server: Backend, engine: EngineProcess, reaper: Reaper, tmp_path: Path
) -> Iterator[Starting]:
    """Starts one service, and leaves nothing of it."""
    postgres = Postgres(server, engine.client, name=Postgres.new_name())
    postgres.create()
    started: list[RunningService] = []

    def one(weakness: str, *words: str, recovery: float = 3) -> Chain:
        declaration = Service(
            command=[sys.executable, FRAIL, "{port}", "{dsn}", weakness, *words],
            health=Health(live="/live", ready="/ready", period=ms(200), threshold=2),
            budget=Budget(request=ms(300), recovery=seconds(recovery), pool=2),
            operations=[READ, PLACE],
        )
        service = RunningService(
            declaration,
            postgres.login,
            folder=tmp_path,
            environment=reaper.environment,
            announce=reaper.end_session,
        )
        started.append(service)
        service.start()
        return Chain(service, postgres)

    yield one
    postgres.heal()
    for service in started:
        service.stop()
    postgres.drop()


def hides(recording: Recording, postgres: Postgres) -> bool:
    """Whether no name and no secret of the database is in it."""
    document = json.dumps(recording.to_json(), ensure_ascii=False)
    return not [name for name, value in postgres.known.items() if value in document]


def test_a_sound_service_under_an_outage(start: Starting) -> None:
    chain = start("none")
    pid = chain.service.pid
    seen = chain.record(OUTAGE)
    seen.require_felt()
    assert seen.injected[0].felt > 0
    assert {one.operation for one in seen.during()} == {"list", "place"}
    expect_none_succeed(seen.during())
    expect_unavailable(seen.during())
    expect_all_succeed(seen.under_fault(seen.liveness))
    expect_unready(seen)
    expect_ready_again(seen)
    expect_recovered(seen)
    assert chain.service.pid == pid
    assert hides(seen, chain.postgres)


def test_what_writes_left_behind_is_counted_by_token(start: Starting) -> None:
    chain = start("none")
    for trial in (Trial("steady", waves=2), OUTAGE):
        seen = chain.record(trial)
        places = [one for one in seen.answers if one.operation == "place"]
        assert seen.applied.keys() == {one.token for one in places}
        assert all(seen.applied[one.token] == 1 for one in places if one.succeeded)
        if trial is not OUTAGE:
            expect_acknowledged_applied(places, seen.applied)
            expect_none_doubled(places, seen.applied)
    assert 0 in seen.applied.values()


def test_a_fault_of_a_moment_meets_connections_in_use(start: Starting) -> None:
    chain = start("none")
    seen = chain.record(Trial("terminated_backends", TerminatedBackends()))
    seen.require_felt()
    expect_all_succeed(seen.under_fault(seen.liveness))
    expect_recovered(seen)


@pytest.mark.parametrize(("weakness", "code"), [("mortal", 70), ("killed", -9)])
def test_a_service_whose_process_ends_is_not_waited_for_and_runs_again(
    weakness: str, code: int, start: Starting
) -> None:
    chain = start(weakness, recovery=600)
    pid = chain.service.pid
    began = time.monotonic()
    seen = chain.record(Trial("outage", Outage(), waves=5, hold=seconds(600)))
    assert time.monotonic() - began < 60, "neither for the hold nor for the recovery time"
    assert seen.process is not None
    assert seen.process.code == code
    assert seen.process.after < seconds(60)
    assert (seen.recovery, seen.same_process) == (None, False)
    if weakness == "mortal":
        assert any(line.startswith("no use without ") for line in seen.process.log)
    assert hides(seen, chain.postgres)
    with pytest.raises(ContractViolation):
        expect_recovered(seen)
    assert chain.service.running
    assert chain.service.pid != pid
    again = chain.record(STEADY)
    expect_all_succeed(again.answers)
    assert again.same_process


def test_what_was_seen_of_a_service_that_never_starts_again_is_kept(
    start: Starting, tmp_path: Path
) -> None:
    chain = start("dead", str(tmp_path / "tomb"))
    seen = chain.record(OUTAGE)
    assert seen.process is not None
    assert seen.process.code == 70
    assert not chain.service.running


def test_a_service_that_does_not_come_back_is_restarted(start: Starting) -> None:
    chain = start("stuck", recovery=1)
    pid = chain.service.pid
    seen = chain.record(OUTAGE)
    assert seen.recovery is not None
    assert not seen.recovery.steady
    assert (seen.process, seen.same_process) == (None, True)
    with pytest.raises(ContractViolation):
        expect_recovered(seen)
    assert chain.service.pid != pid
    expect_all_succeed(chain.record(STEADY).answers)


def test_a_service_that_hangs_is_asked_in_one_wave_only(start: Starting) -> None:
    chain = start("none")
    seen = chain.record(Trial("black_hole", BlackHole(), waves=3))
    seen.require_felt()
    assert {one.ending for one in seen.note("wave 1")} == {Completion.NO_ANSWER}
    assert seen.note("wave 2") == ()
    expect_all_succeed(seen.under_fault(seen.liveness))
    loud = chain.record(Trial("outage", Outage(), waves=3))
    assert loud.note("wave 3")
