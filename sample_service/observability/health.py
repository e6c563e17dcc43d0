"""Liveness, readiness and startup probes, none of which waits for the database.

A background watch checks the database every `health_interval` on its own connection, and the probes
report its last results. So a full pool does not make the service unready, and a database that
accepts and never answers does not make a probe slow.
"""

import asyncio
import contextlib
import time
from typing import Any, Final

import asyncpg
import structlog
from starlette.responses import JSONResponse

from sample_service.observability import metrics
from sample_service.resilience.database import Database
from sample_service.resilience.failures import DRIVER_ERRORS, sqlstate_of
from sample_service.resilience.pool import Session, session_settings
from sample_service.settings import Settings

__all__ = ["Health", "HealthResponse"]

AGREEING: Final = 2
"""How many consecutive checks must agree before readiness changes: one lost packet must not."""

log = structlog.get_logger()


class HealthResponse(JSONResponse):
    """draft-inadarei-api-health-check: `pass` goes with 200, `fail` with 503."""

    media_type = "application/health+json"

    def __init__(self, failing: str | None = None) -> None:
        body: dict[str, Any] = {"status": "pass"}
        headers = {"Cache-Control": "no-store"}
        if failing is not None:
            body = {"status": "fail", "checks": {failing: [{"status": "fail"}]}}
            headers["Retry-After"] = "1"
        super().__init__(body, status_code=503 if failing else 200, headers=headers)


class Health:
    """The three probes and the watch behind them; `start` and `stop` it with the service."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._connection: Session | None = None
        self._reachable = False
        self._contradictions = 0
        self._checked_at = 0.0
        self._draining = False
        self._watch: asyncio.Task[None] | None = None

    async def live(self) -> HealthResponse:
        """Answer that the process is alive; a restart would not fix the database."""
        return HealthResponse()

    async def startup(self) -> HealthResponse:
        """Whether the watch has checked the database once, with whatever result."""
        return HealthResponse(None if self._checked_at else "service:start")

    async def ready(self) -> HealthResponse:
        """Whether the database answered the last checks, the watch still runs, and the service is
        not about to stop."""
        if self._draining:
            return HealthResponse("service:draining")
        patience = 4 * (self._settings.health_interval + self._settings.health_timeout)
        fresh = time.monotonic() - self._checked_at < patience
        return HealthResponse(None if self._reachable and fresh else "postgresql:connection")

    def drain(self) -> None:
        """Report not ready from now on."""
        self._draining = True

    def start(self) -> None:
        """Start the watch."""
        metrics.observe(self._database)
        self._watch = asyncio.create_task(self._keep_checking())

    async def stop(self) -> None:
        """Stop the watch without waiting for the database."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        self._drop()

    async def _keep_checking(self) -> None:
        while True:
            self._note(await self._checked())
            metrics.observe(self._database)
            await asyncio.sleep(self._settings.health_interval)

    async def _checked(self) -> bool:
        """Check the database, and fill the pool if it answers. A bug must not end the watch, or
        the service would stay unready until a restart."""
        try:
            reachable = await self.check()
            if reachable:
                await self._database.pool.warm()
        except Exception:
            log.exception("the watch failed")
            return False
        return reachable

    def _note(self, reachable: bool) -> None:
        first, self._checked_at = not self._checked_at, time.monotonic()
        self._contradictions = 0 if reachable == self._reachable else self._contradictions + 1
        if self._contradictions >= AGREEING or (first and reachable):
            self._reachable, self._contradictions = reachable, 0
            log.info("readiness changed", ready=reachable)

    async def check(self) -> bool:
        """Whether the database answers within `health_timeout`, on a connection kept for this."""
        try:
            connection = self._connection = self._connection or await self._connect()
            end = asyncio.get_running_loop().call_later(
                self._settings.health_timeout, connection.terminate
            )
            try:
                await connection.execute("SELECT 1")
            finally:
                end.cancel()
        except DRIVER_ERRORS as error:
            self._drop()
            log.debug("the database did not answer the health check", sqlstate=sqlstate_of(error))
            return False
        return True

    async def _connect(self) -> Session:
        return await asyncpg.connect(
            self._settings.database_url.get_secret_value(),
            timeout=self._settings.connect_timeout,
            server_settings=session_settings(self._settings),
        )

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
