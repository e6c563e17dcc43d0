"""The kiosk's probes. Only readiness asks the database."""

import asyncio

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.controls.kiosk.pool import Session
from tests.controls.kiosk.refusals import DRIVER_ERRORS
from tests.controls.kiosk.settings import PROBE

__all__ = ["Probes"]


class Probes:
    """Liveness and readiness. Readiness has its own connection, and asks one question at a time."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Session | None = None
        self._asking = asyncio.Lock()

    async def live(self, _: Request) -> Response:
        """Answer that the process is alive."""
        return self.answer(passes=True)

    async def ready(self, _: Request) -> Response:
        """Answer whether the database answers in time."""
        async with self._asking:
            return self.answer(passes=await self.reachable())

    def answer(self, *, passes: bool) -> Response:
        """Answer as in draft-inadarei-api-health-check: `pass` with 200, `fail` with 503."""
        if passes:
            return JSONResponse({"status": "pass"})
        checks = {"postgresql:connection": [{"status": "fail"}]}
        return JSONResponse({"status": "fail", "checks": checks}, 503)

    async def reachable(self) -> bool:
        """Whether the database answers within `PROBE` seconds."""
        try:
            return await self.ask()
        except DRIVER_ERRORS:
            self.close()
            return False

    async def ask(self) -> bool:
        """Ask on the kept connection, or on a new one."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PROBE
        self._connection = self._connection or await asyncpg.connect(self._dsn, timeout=PROBE)
        timer = loop.call_at(until, self._connection.terminate)
        try:
            return await self._connection.fetchval("SELECT true") is True
        finally:
            timer.cancel()

    def close(self) -> None:
        """Terminate the connection."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
