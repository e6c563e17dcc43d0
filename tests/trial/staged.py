"""A stage for a trial's script: a service in a few lines, and a database that only takes notes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from brownout.declaration import Service
from brownout.observations import Answer
from brownout.trial import Baseline, Probe, Stage
from brownout.trial.clock import Clock
from brownout.trial.watch import HealthWatch, SessionWatch
from tests.core.fakes import FakePostgres, FakeService
from tests.core.peer import Peer

__all__ = ["staged"]


@asynccontextmanager
async def staged(
    peer: Peer,
    declared: Service,
    postgres: FakePostgres | None = None,
    *,
    patience: timedelta | None = None,
    readiness: HealthWatch | None = None,
) -> AsyncIterator[Stage]:
    """The stage for as long as the block lasts; its health routes are asked by `readiness` only."""
    database = postgres or FakePostgres()
    answers: list[Answer] = []
    clock = Clock()
    async with Probe(
        declared, peer.url, patience=patience, heard=answers.append, clock=clock
    ) as probe:
        yield Stage(
            service=FakeService(declared, peer.url).as_service,
            postgres=database.as_postgres,
            probe=probe,
            apart=probe,
            baseline=Baseline(),
            answers=answers,
            liveness=None,
            readiness=readiness,
            sessions=SessionWatch(database.as_postgres),
            clock=clock,
        )
