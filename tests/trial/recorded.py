"""A service whose trials are recorded, for tests of what the recordings show."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from brownout import Service
from brownout.backends.model import Backend
from brownout.control import EngineProcess
from brownout.postgres import Postgres
from brownout.reaper import Reaper
from brownout.service import RunningService
from brownout.trial import Recorder, Recordings, Referee

__all__ = ["Replica", "recorded"]


@dataclass
class Replica:
    """The running service, its database and the recordings of its trials."""

    service: RunningService
    postgres: Postgres
    recordings: Recordings


@contextmanager
def recorded(
    declared: Service, reaper: Reaper, server: Backend, engine: EngineProcess, folder: Path
) -> Iterator[Replica]:
    """The declared service, for as long as the block lasts; logs and lock are in `folder`."""
    postgres = Postgres(server, engine.client, name=Postgres.new_name())
    postgres.create()
    running = RunningService(
        declared,
        postgres.login,
        folder=folder,
        environment=reaper.environment,
        announce=reaper.end_session,
    )
    running.start()
    referee = Referee(engine, postgres, running)
    recorder = Recorder(running, postgres, referee)
    yield Replica(
        running, postgres, Recordings(recorder, referee, folder=None, lock=folder / "lock")
    )
    running.stop()
    postgres.drop()
