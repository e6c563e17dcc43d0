"""Services with other probes."""

import asyncio
import os
from contextlib import nullcontext

import asyncpg
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sample_service.app import Parts, create_app
from sample_service.health import Health, HealthResponse
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.pool import Pool
from tests.controls.kiosk.probes import Probes
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused
from tests.controls.kiosk.settings import WORK

__all__ = [
    "alive_with_the_database",
    "always_ready",
    "never_ready_again",
    "one_queue_for_all",
    "readiness_hangs",
    "readiness_over_the_pool",
]


class AliveWithTheDatabase(Probes):
    """One check for both probes."""

    async def live(self, request: Request) -> Response:
        """The process answers, and the database."""
        return await self.ready(request)


def alive_with_the_database() -> Starlette:
    """See `AliveWithTheDatabase`."""
    return kiosk(probes=AliveWithTheDatabase)


class OneQueueForAll:
    """Two requests at a time; a probe waits its turn like everybody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turn = asyncio.Semaphore(2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request when it is its turn."""
        async with self._turn if scope["type"] == "http" else nullcontext():
            await self._app(scope, receive, send)


def one_queue_for_all() -> Starlette:
    """See `OneQueueForAll`."""
    app = kiosk()
    app.add_middleware(OneQueueForAll)
    return app


class AlwaysReady(Health):
    """Readiness that asks nobody."""

    async def ready(self) -> HealthResponse:
        """The process answers."""
        return HealthResponse()


def always_ready() -> FastAPI:
    """See `AlwaysReady`."""
    return create_app(parts=Parts(health=AlwaysReady))


class NeverReadyAgain(Probes):
    """The first failure ends the watch."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._failed = False

    async def reachable(self) -> bool:
        """Whether the database has always answered."""
        self._failed = self._failed or not await super().reachable()
        return not self._failed


def never_ready_again() -> Starlette:
    """See `NeverReadyAgain`."""
    return kiosk(probes=NeverReadyAgain)


class ReadinessHangs(Probes):
    """A question to the database, and no time-out."""

    async def reachable(self) -> bool:
        """Whether the database answers, some day."""
        try:
            connection = await asyncpg.connect(self._dsn)
            await connection.execute("SELECT 1")
            await connection.close()
        except DRIVER_ERRORS:
            return False
        return True


def readiness_hangs() -> Starlette:
    """See `ReadinessHangs`."""
    return kiosk(probes=ReadinessHangs)


class ReadinessOverThePool(Probes):
    """The traffic's pool, with more patience than the traffic has."""

    def __init__(self, dsn: str, pool: Pool) -> None:
        super().__init__(dsn)
        self._pool = pool

    async def reachable(self) -> bool:
        """Whether a connection of the pool answers within twice a request's time."""
        until = asyncio.get_running_loop().time() + 2 * WORK
        try:
            async with self._pool.lease(until) as connection:
                await connection.execute("SELECT 1")
        except (*DRIVER_ERRORS, Refused):
            return False
        return True


def readiness_over_the_pool() -> Starlette:
    """See `ReadinessOverThePool`."""
    pool = Pool(os.environ["DATABASE_URL"])
    return kiosk(pool=lambda _: pool, probes=lambda dsn: ReadinessOverThePool(dsn, pool))
