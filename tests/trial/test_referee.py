"""A trial in which the engine or PostgreSQL died says nothing of the service."""

import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from brownout import BackendUnavailable, Service, ms, seconds
from brownout.backends.embedded import EmbeddedBackend
from brownout.backends.external import ExternalBackend
from brownout.control import EngineProcess
from brownout.expectations import expect_all_succeed, expect_recovered
from brownout.faults import Latency, LockedTables, NoFreeSlots, Restart, RevokedPermission
from brownout.postgres import Postgres
from brownout.reaper import Reaper
from brownout.service import RunningService
from brownout.trial import Recorder, Recordings, Referee, Stage, Trial
from tests.controls.kiosk.declaration import declared_kiosk

PROMPT = 20.0  # seconds; a death is noticed within one, and the replica renewed within some


@dataclass
class Chain:
    """A replica of its own, so that a test may end any part of it."""

    backend: EmbeddedBackend
    engine: EngineProcess
    postgres: Postgres
    service: RunningService
    recordings: Recordings

    def kill_engine(self) -> None:
        os.kill(self.engine.pid, signal.SIGKILL)

    def kill_postgres(self) -> None:
        server = self.backend._server
        assert server is not None
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGKILL)


@pytest.fixture
def chain(reaper: Reaper, tmp_path: Path) -> Iterator[Chain]:
    backend = EmbeddedBackend(reaper)
    backend.start()
    engine = EngineProcess.start(reaper.environment)
    postgres = Postgres(backend, engine.client, name=Postgres.new_name())
    postgres.create()
    service = RunningService(
        declared_kiosk("tests.controls.kiosk.app:kiosk"),
        postgres.login,
        folder=tmp_path,
        environment=reaper.environment,
        announce=reaper.end_session,
    )
    service.start()
    referee = Referee(engine, postgres, service)
    recordings = Recordings(
        Recorder(service, postgres, referee), referee, folder=None, lock=tmp_path / "lock"
    )
    yield Chain(backend, engine, postgres, service, recordings)
    service.stop()
    engine.stop()
    backend.stop()


@dataclass(frozen=True, slots=True)
class Deadly:
    """A wave under a fault; then the next of `kills` is done, and it is asked again."""

    fault: object = field(default=Latency(ms(20)), compare=False)
    kills: list[Callable[[], None]] = field(default_factory=list, compare=False)

    async def run(self, stage: Stage) -> None:
        operations = stage.declared.needing_database()
        async with stage.inject(self.fault):  # type: ignore[arg-type]
            await stage.wave(operations, 2)
            if self.kills:
                self.kills.pop(0)()
            await stage.wave(operations, 2)

    def longest(self, service: Service) -> timedelta:  # noqa: ARG002 (the protocol's)
        return seconds(60)


@pytest.mark.parametrize("victim", ["engine", "postgres"])
def test_one_death_makes_the_trial_void_and_it_is_repeated_on_a_renewed_replica(
    chain: Chain, victim: str
) -> None:
    dsn, pid = chain.postgres.dsn, chain.service.pid
    kill = chain.kill_engine if victim == "engine" else chain.kill_postgres
    recording = chain.recordings.of(Trial("deadly", script=Deadly(kills=[kill])))
    assert chain.postgres.dsn == dsn
    assert chain.service.pid != pid
    expect_all_succeed(recording.answers)
    expect_recovered(recording)
    recording.require_felt()
    name = "The engine" if victim == "engine" else "PostgreSQL"
    told = f"{name} was ended by signal 9 (SIGKILL) in the first try, which does not count."
    assert recording.repeated == recording.facts()["repeated"] == told
    assert recording.to_json()["repeated"] == told
    assert chain.recordings.of(Trial("later", Restart())).repeated == ""


@pytest.mark.parametrize("victim", ["engine", "postgres"])
def test_a_second_death_ends_the_run_and_says_what_died(chain: Chain, victim: str) -> None:
    kill = chain.kill_engine if victim == "engine" else chain.kill_postgres
    began = time.monotonic()
    with pytest.raises(BackendUnavailable) as caught:
        chain.recordings.of(Trial("deadly", script=Deadly(kills=[kill, kill])))
    assert time.monotonic() - began < PROMPT
    said = str(caught.value)
    name = "The engine" if victim == "engine" else "PostgreSQL"
    assert f"{name} was ended by signal 9 (SIGKILL), which no fault had planned" in said
    assert "the trial 'deadly': under Latency(" in said
    assert re.search(r"after .*\d+ × place-order.*; the last answer: ", said)
    assert "the last lines of its log:\n" in said
    if victim == "postgres":
        assert "database system is ready to accept connections" in said
    with pytest.raises(BackendUnavailable) as later:
        chain.recordings.of(Trial("later", Latency(ms(20))))
    assert str(later.value) == said, "the report tells the same error once"


@pytest.mark.parametrize(
    "fault",
    [LockedTables(), RevokedPermission(), NoFreeSlots()],
    ids=lambda one: type(one).__name__,
)
def test_what_was_in_force_when_postgres_died_is_healed_by_the_renewal(
    chain: Chain, fault: object
) -> None:
    script = Deadly(fault, [chain.kill_postgres])
    assert chain.recordings.of(Trial("deadly", script=script)).repeated
    recording = chain.recordings.of(Trial("later", script=Deadly()))
    expect_all_succeed(recording.answers)


def test_a_death_between_two_trials_is_repaired_before_the_next(chain: Chain) -> None:
    chain.recordings.of(Trial("first", script=Deadly()))
    chain.kill_engine()
    recording = chain.recordings.of(Trial("second", Latency(ms(20))))
    assert "The engine was ended by signal 9" in recording.repeated


def test_a_planned_restart_is_no_death(chain: Chain) -> None:
    recording = chain.recordings.of(Trial("restart", Restart()))
    assert recording.repeated == ""
    expect_recovered(recording)


def test_a_running_server_that_is_gone_is_dead_too(reaper: Reaper) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        backend = ExternalBackend(reaper, f"postgresql://shop:s3cret@127.0.0.1:{port}/shop")
        assert backend.ended() is None
    told = backend.ended()
    assert told == f"PostgreSQL at 127.0.0.1:{port} accepts no connection (Connection refused)"


def test_the_engines_last_lines_and_exit_code_outlast_it() -> None:
    with EngineProcess.start() as engine:
        assert engine.running
        assert engine.exit_code is None
        os.kill(engine.pid, signal.SIGKILL)
        deadline = time.monotonic() + PROMPT
        while engine.running and time.monotonic() < deadline:
            time.sleep(0.01)
        assert engine.exit_code == -signal.SIGKILL
        address = engine.address
        engine.restart()
        assert engine.address == address
        assert engine.client.version() == "2.12.0"
        assert engine.last_lines() == ()
