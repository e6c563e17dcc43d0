"""What probes ask: alive, ready, started. None of them waits for the database.

One look at the database every `health_interval`, on a connection of its own, however many probes
ask; they answer from what the last looks saw. So a full pool does not make the service unready, and
a database that accepts and never answers does not make a probe slow.
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
"""How many looks in a row must agree before readiness turns: one lost packet is not an outage."""

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
        self._looked_at = 0.0
        self._draining = False
        self._watch: asyncio.Task[None] | None = None

    async def live(self) -> HealthResponse:
        """The process answers: no more is asked, since a restart would mend no database."""
        return HealthResponse()

    async def startup(self) -> HealthResponse:
        """The service has started: its watch has looked once, whatever it saw."""
        return HealthResponse(None if self._looked_at else "service:start")

    async def ready(self) -> HealthResponse:
        """The database answers, as the last looks saw it; a watch that stopped is a failure, and a
        service that is about to stop is not ready either."""
        if self._draining:
            return HealthResponse("service:draining")
        patience = 4 * (self._settings.health_interval + self._settings.health_timeout)
        fresh = time.monotonic() - self._looked_at < patience
        return HealthResponse(None if self._reachable and fresh else "postgresql:connection")

    def drain(self) -> None:
        """From now on: not ready."""
        self._draining = True

    def start(self) -> None:
        """Begin to watch."""
        metrics.observe(self._database)
        self._watch = asyncio.create_task(self._look_on())

    async def stop(self) -> None:
        """Stop to watch; waits for nothing."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        self._drop()

    async def _look_on(self) -> None:
        while True:
            self._note(await self._looked())
            metrics.observe(self._database)
            await asyncio.sleep(self._settings.health_interval)

    async def _looked(self) -> bool:
        """What a look saw; then the pool is filled. The watch outlives faults of our own: without
        it the service would not be ready again until somebody restarts it."""
        try:
            reachable = await self.look()
            if reachable:
                await self._database.pool.warm()
        except Exception:
            log.exception("the watch failed")
            return False
        return reachable

    def _note(self, reachable: bool) -> None:
        first, self._looked_at = not self._looked_at, time.monotonic()
        self._contradictions = 0 if reachable == self._reachable else self._contradictions + 1
        if self._contradictions >= AGREEING or (first and reachable):
            self._reachable, self._contradictions = reachable, 0
            log.info("readiness turned", ready=reachable)

    async def look(self) -> bool:
        """Whether the database answers within `health_timeout`; keeps one connection for it."""
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
            log.debug("the database did not answer the watch", sqlstate=sqlstate_of(error))
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
