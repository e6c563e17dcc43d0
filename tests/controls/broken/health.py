"""The kiosk with other probes."""

import asyncio
import os
from contextlib import nullcontext

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.pool import Pool
from tests.controls.kiosk.probes import Probes
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused
from tests.controls.kiosk.settings import WORK

__all__ = [
    "no_readiness",
    "one_queue_and_never_ready_again",
    "probes_mixed_up",
    "readiness_hangs_and_liveness_elsewhere",
    "readiness_over_the_pool_and_flapping",
]


class ProbesMixedUp(Probes):
    """Liveness asks the database, and readiness asks nobody."""

    async def live(self, request: Request) -> Response:
        """The database answers in time."""
        return await super().ready(request)

    async def ready(self, request: Request) -> Response:
        """The process answers."""
        return await super().live(request)


def probes_mixed_up() -> Starlette:
    """See `ProbesMixedUp`."""
    return kiosk(probes=ProbesMixedUp)


class OneQueueForAll:
    """Two requests at a time; a probe waits its turn like everybody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turn = asyncio.Semaphore(2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request when it is its turn."""
        async with self._turn if scope["type"] == "http" else nullcontext():
            await self._app(scope, receive, send)


class NeverReadyAgain(Probes):
    """Connects for each question; a refusal is taken for the last word."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._refused = False

    async def reachable(self) -> bool:
        """Whether the database answers and has never refused."""
        self.close()
        try:
            return not self._refused and await self.ask()
        except ConnectionRefusedError:
            self._refused = True
        except DRIVER_ERRORS:
            self.close()
        return False


def one_queue_and_never_ready_again() -> Starlette:
    """See `OneQueueForAll` and `NeverReadyAgain`."""
    app = kiosk(probes=NeverReadyAgain)
    app.add_middleware(OneQueueForAll)
    return app


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


def readiness_hangs_and_liveness_elsewhere() -> Starlette:
    """See `ReadinessHangs`; liveness is not where its team says."""
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


class Flapping(ReadinessOverThePool):
    """One failure proves nothing, so that every second one is passed over."""

    def __init__(self, dsn: str, pool: Pool) -> None:
        super().__init__(dsn, pool)
        self._failed = 0

    async def reachable(self) -> bool:
        """Whether a connection answers, or the last one did not."""
        reached = await super().reachable()
        self._failed += not reached
        return reached or self._failed % 2 == 0


def readiness_over_the_pool_and_flapping() -> Starlette:
    """See `ReadinessOverThePool` and `Flapping`."""
    pool = Pool(os.environ["DATABASE_URL"])
    return kiosk(pool=lambda _: pool, probes=lambda dsn: Flapping(dsn, pool))


def no_readiness() -> Starlette:
    """Nothing is wrong with the service: its team declares no such route."""
    return kiosk()
