"""The kiosk with wrong probes."""

import asyncio
import os
from contextlib import nullcontext

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.controls.broken.bundle import bundle
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.pool import Pool
from tests.controls.kiosk.probes import Probes
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused
from tests.controls.kiosk.settings import WORK

__all__ = [
    "hanging_readiness_bundle",
    "no_readiness",
    "pooled_readiness_bundle",
    "shared_queue_bundle",
    "swapped_probes_bundle",
]


class SwappedProbes(Probes):
    """Liveness asks the database, and readiness does not."""

    async def live(self, request: Request) -> Response:
        """Answer whether the database answers in time."""
        return await super().ready(request)

    async def ready(self, request: Request) -> Response:
        """Answer that the process is alive."""
        return await super().live(request)


def swapped_probes_bundle() -> Starlette:
    """Create the kiosk with `SwappedProbes`."""
    return kiosk(probes=SwappedProbes)


class OneQueueForAll:
    """Serves two requests at a time; probes wait in the same queue."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turn = asyncio.Semaphore(2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request when a turn is free."""
        async with self._turn if scope["type"] == "http" else nullcontext():
            await self._app(scope, receive, send)


class NeverReadyAgain(Probes):
    """Connects for each probe, and fails for ever after one refused connect."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._refused = False

    async def reachable(self) -> bool:
        """Whether the database answers and has never refused a connect."""
        self.close()
        try:
            return not self._refused and await self.ask()
        except ConnectionRefusedError:
            self._refused = True
        except DRIVER_ERRORS:
            self.close()
        return False


class TellsTheCause(Probes):
    """Puts the driver's message into the answer, in small letters."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._cause = ""

    async def ask(self) -> bool:
        """Ask, and keep the message of a failure."""
        try:
            return await super().ask()
        except DRIVER_ERRORS as error:
            self._cause = repr(error).lower()
            raise

    def answer(self, *, passes: bool) -> Response:
        """Answer with the message."""
        if passes:
            return super().answer(passes=passes)
        check = {"status": "fail", "output": self._cause}
        return JSONResponse({"status": "fail", "checks": {"postgresql": [check]}}, 503)


def shared_queue_bundle() -> Starlette:
    """Create the kiosk with three independent defects."""
    app = kiosk(probes=bundle(TellsTheCause, NeverReadyAgain))
    app.add_middleware(OneQueueForAll)
    return app


class AlwaysPasses(Probes):
    """Says `pass` in the body, whatever the status line says."""

    def answer(self, *, passes: bool) -> Response:
        """Answer 200 or 503 with the same body."""
        checks = {"postgresql:connection": [{"status": "pass"}]}
        return JSONResponse({"status": "pass", "checks": checks}, 200 if passes else 503)


class ReadinessHangs(Probes):
    """Asks the database without a time-out."""

    async def reachable(self) -> bool:
        """Whether the database answers, however late."""
        try:
            connection = await asyncpg.connect(self._dsn)
            await connection.execute("SELECT 1")
            await connection.close()
        except DRIVER_ERRORS:
            return False
        return True


def hanging_readiness_bundle() -> Starlette:
    """Create the kiosk with two independent defects; its declaration names a wrong liveness
    route."""
    return kiosk(probes=bundle(ReadinessHangs, AlwaysPasses))


class ReadinessOverThePool(Probes):
    """Takes a connection of the traffic's pool, and waits longer for it than requests do."""

    def __init__(self, dsn: str, pool: Pool) -> None:
        super().__init__(dsn)
        self._pool = pool

    async def reachable(self) -> bool:
        """Whether a connection of the pool answers within twice a request's working time."""
        until = asyncio.get_running_loop().time() + 2 * WORK
        try:
            async with self._pool.lease(until) as connection:
                await connection.execute("SELECT 1")
        except (*DRIVER_ERRORS, Refused):
            return False
        return True


class Flapping(ReadinessOverThePool):
    """Ignores every second failure, and names no component."""

    def __init__(self, dsn: str, pool: Pool) -> None:
        super().__init__(dsn, pool)
        self._failed = 0

    async def reachable(self) -> bool:
        """Whether a connection answers, or this failure is to be ignored."""
        reached = await super().reachable()
        self._failed += not reached
        return reached or self._failed % 2 == 0

    def answer(self, *, passes: bool) -> Response:
        """Answer with the status alone."""
        return JSONResponse({"status": "pass" if passes else "fail"}, 200 if passes else 503)


def pooled_readiness_bundle() -> Starlette:
    """Create the kiosk with three independent defects: `Flapping` is a `ReadinessOverThePool`."""
    pool = Pool(os.environ["DATABASE_URL"])
    return kiosk(pool=lambda _: pool, probes=lambda dsn: Flapping(dsn, pool))


def no_readiness() -> Starlette:
    """Create the kiosk without a defect; its declaration names no readiness route."""
    return kiosk()
