"""A trial whose lease ended in the middle says nothing of the service."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from brownout import Service, seconds
from brownout.backends.model import Backend
from brownout.backends.remote import RemoteBackend
from brownout.control import EngineClient
from brownout.declaration.elsewhere import as_judged
from brownout.expectations import expect_none_succeed
from brownout.faults import Outage
from brownout.postgres import Postgres
from brownout.reaper import Reaper
from brownout.service.elsewhere import ServiceElsewhere
from brownout.settings.remote import RemoteService
from brownout.trial import Recorder, Recordings, Referee, Stage, Trial
from tests.remote.declared import kiosk
from tests.remote.staging import staging
from tests.remote.test_settings import remote

pytestmark = pytest.mark.timeout(120)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An outage whose lease is ended once: from then on, the database is there again."""

    api: str = field(compare=False)
    left: list[None] = field(default_factory=lambda: [None], compare=False)

    async def run(self, stage: Stage) -> None:
        operations = stage.declared.reads()
        async with stage.inject(Outage()):
            if self.left:
                self.left.pop()
                EngineClient(self.api).end_lease("brownout orders")
            # For longer than the keeper may take to notice.
            await stage.until(lambda: False, within=seconds(3))
            await stage.wave(operations, 2)

    def longest(self, service: Service) -> timedelta:  # noqa: ARG002 (the protocol's)
        return seconds(20)


def test_it_is_made_again_with_a_new_lease(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str
) -> None:
    with staging(server, reaper, tmp_path, engine_elsewhere) as place:
        backend = RemoteBackend(reaper, place.proxy, allow_writes=True)
        backend.start()
        postgres = Postgres(backend, None, name=Postgres.new_name())
        declared = as_judged(kiosk, remote(allow_writes="yes"))
        service = ServiceElsewhere(declared, RemoteService("127.0.0.1", place.url))
        service.start()
        referee = Referee(None, postgres, service)
        recorder = Recorder(service, postgres, referee)
        recordings = Recordings(recorder, referee, folder=None, lock=tmp_path / "lock")
        recording = recordings.of(Trial("interrupted", script=Interrupted(place.api)))
        backend.stop()
    assert "The lease at the engine" in recording.repeated
    assert "in the first try, which does not count." in recording.repeated
    expect_none_succeed(recording.note("wave 1"))
