"""The kiosk, whose probes fail to tell some faults."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.controls.broken.pool import EndlessQueue
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.pool import Pool
from tests.controls.kiosk.probes import Probes
from tests.controls.kiosk.refusals import DRIVER_ERRORS
from tests.controls.kiosk.settings import PROBE, RECOVERY, WORK

__all__ = [
    "liveness_in_the_thread_pool",
    "readiness_after_a_minute",
    "readiness_by_a_connect",
    "readiness_down_with_200",
    "readiness_late_after_full_slots",
    "readiness_waits_for_a_lock",
    "ready_while_starting_up",
]


class ByAConnect(Probes):
    """Takes an open port for a database."""

    async def reachable(self) -> bool:
        """Whether a connect succeeds."""
        address = urlsplit(self._dsn)
        try:
            async with asyncio.timeout(PROBE):
                _, writer = await asyncio.open_connection(address.hostname, address.port)
        except OSError:
            return False
        writer.close()
        return True


def readiness_by_a_connect() -> Starlette:
    """Create the kiosk with `ByAConnect`."""
    return kiosk(probes=ByAConnect)


class DownWith200(Probes):
    """Says `DOWN` in the body, and 200 whatever it says."""

    def answer(self, *, passes: bool) -> Response:
        """Answer as frameworks do that leave the status to the handler."""
        return JSONResponse({"status": "UP" if passes else "DOWN", "db": passes})


def readiness_down_with_200() -> Starlette:
    """Create the kiosk with `DownWith200`."""
    return kiosk(probes=DownWith200)


class ReadyWhileStartingUp(Probes):
    """Takes a server that refuses every connection for one that is there: it has answered."""

    async def reachable(self) -> bool:
        """Whether the server says anything in time."""
        try:
            return await self.ask()
        except asyncpg.CannotConnectNowError:
            return True
        except DRIVER_ERRORS:
            self.close()
            return False


def ready_while_starting_up() -> Starlette:
    """Create the kiosk with `ReadyWhileStartingUp`."""
    return kiosk(probes=ReadyWhileStartingUp)


class AfterAMinute(Probes):
    """Asks the database once a minute, and answers from memory in between."""

    _asked: float | None = None
    _reached = False

    async def reachable(self) -> bool:
        """Whether the database answered when it was last asked."""
        now = time.monotonic()
        if self._asked is None or now - self._asked > 60 or not self._reached:
            self._asked, self._reached = now, await super().reachable()
        return self._reached


def readiness_after_a_minute() -> Starlette:
    """Create the kiosk with `AfterAMinute`."""
    return kiosk(probes=AfterAMinute)


class LateAfterFullSlots(Probes):
    """Stays away for a while after the server had no slot for it."""

    _away_until = 0.0

    async def reachable(self) -> bool:
        """Whether the database answers, and had a slot each time for a while."""
        try:
            reached = await self.ask()
        except asyncpg.TooManyConnectionsError:
            self._away_until = time.monotonic() + 3 * RECOVERY
            return False
        except DRIVER_ERRORS:
            self.close()
            return False
        return reached and time.monotonic() > self._away_until


def readiness_late_after_full_slots() -> Starlette:
    """Create the kiosk with `LateAfterFullSlots`."""
    return kiosk(probes=LateAfterFullSlots)


class WaitsForALock(Probes):
    """Counts the orders to see whether the database works, however long that takes."""

    async def ask(self) -> bool:
        """Count, and then ask as every probe does."""
        self._connection = self._connection or await asyncpg.connect(self._dsn, timeout=PROBE)
        try:
            await self._connection.fetchval("SELECT count(*) FROM orders", timeout=3 * WORK)
        except TimeoutError:
            return False
        return await super().ask()


def readiness_waits_for_a_lock() -> Starlette:
    """Create the kiosk with `WaitsForALock`."""
    return kiosk(probes=WaitsForALock)


class InTheThreadPool(Counter):
    """Lists orders in threads, as handlers that block do; the time begins when a thread is free."""

    def __init__(self, pool: Pool, threads: ThreadPoolExecutor) -> None:
        super().__init__(pool)
        self._threads = threads

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders, once a thread is free and with that thread until then."""
        del until
        loop = asyncio.get_running_loop()
        begun, over = asyncio.Event(), threading.Event()

        def hold() -> None:
            loop.call_soon_threadsafe(begun.set)
            over.wait()

        held = loop.run_in_executor(self._threads, hold)
        try:
            await begun.wait()
            return await super().orders(loop.time() + WORK)
        finally:
            over.set()
            await held


class LivenessInAThread(Probes):
    """Answers from one of the same threads."""

    def __init__(self, dsn: str, threads: ThreadPoolExecutor) -> None:
        super().__init__(dsn)
        self._threads = threads

    async def live(self, _: Request) -> Response:
        """Answer that the process is alive, once a thread is free to say so."""
        answer: Callable[[], Response] = lambda: self.answer(passes=True)  # noqa: E731
        return await asyncio.get_running_loop().run_in_executor(self._threads, answer)


def liveness_in_the_thread_pool() -> Starlette:
    """Create the kiosk with one pool of threads for requests and liveness."""
    threads = ThreadPoolExecutor(40)
    return kiosk(
        pool=EndlessQueue,
        counter=lambda pool: InTheThreadPool(pool, threads),
        probes=lambda _: LivenessInAThread(os.environ["DATABASE_URL"], threads),
    )
