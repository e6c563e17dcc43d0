"""The kiosk, which starts or stops wrongly."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import FrameType

import asyncpg
from starlette.applications import Starlette
from starlette.types import Lifespan

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.pool import Pool

__all__ = ["start_and_stop_bundle", "starts_at_an_open_port", "stop_bundle"]

DRAINING = 2.0
"""Seconds for which the kiosk goes on serving after SIGTERM: two probe periods."""


def start_and_stop_bundle() -> Starlette:
    """Create the kiosk with two independent defects: it cannot start without its database, and
    SIGTERM ends it at once."""
    app = kiosk()
    inner: Lifespan[Starlette] = app.router.lifespan_context

    @asynccontextmanager
    async def running(starlette: Starlette) -> AsyncIterator[None]:
        connection = await asyncpg.connect(os.environ["DATABASE_URL"], timeout=1)
        await connection.close()
        async with inner(starlette):
            signal.signal(signal.SIGTERM, _exit)
            yield

    app.router.lifespan_context = running
    return app


def _exit(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)


class PolitePool(Pool):
    """Takes leave of the database before it closes, however long that takes."""

    async def drain(self) -> None:
        """Wait until the database has answered once more."""
        async with self._connections.acquire() as connection:
            await connection.execute("DEALLOCATE ALL")


def stop_bundle() -> Starlette:
    """Create the kiosk with two independent defects: it goes on being ready for a while after
    SIGTERM, and its stop waits for the database."""
    pools: list[PolitePool] = []

    def pool(dsn: str) -> PolitePool:
        pools.append(PolitePool(dsn))
        return pools[-1]

    app = kiosk(pool=pool)
    inner: Lifespan[Starlette] = app.router.lifespan_context

    @asynccontextmanager
    async def running(starlette: Starlette) -> AsyncIterator[None]:
        async with inner(starlette):
            _delay_sigterm(DRAINING)
            yield
            await pools[0].drain()

    app.router.lifespan_context = running
    return app


def starts_at_an_open_port() -> Starlette:
    """Create the kiosk, whose start waits for an open port of the database only."""
    app = kiosk()
    inner: Lifespan[Starlette] = app.router.lifespan_context

    @asynccontextmanager
    async def running(starlette: Starlette) -> AsyncIterator[None]:
        async with inner(starlette):
            waiting = asyncio.create_task(_wait_for_a_port())
            waiting.add_done_callback(_unless_it_failed)
            yield
            waiting.cancel()

    app.router.lifespan_context = running
    return app


async def _wait_for_a_port() -> None:
    """Connect as soon as a server listens, whatever it says then."""
    connected = False
    while not connected:
        with suppress(OSError):
            connection = await asyncpg.connect(os.environ["DATABASE_URL"], timeout=1)
            connection.terminate()
            connected = True
        await asyncio.sleep(0.1)


def _unless_it_failed(waited: "asyncio.Task[None]") -> None:
    if not waited.cancelled() and waited.exception() is not None:
        os._exit(3)


def _delay_sigterm(seconds: float) -> None:
    """Let SIGTERM reach the server so much later."""
    server, loop = signal.getsignal(signal.SIGTERM), asyncio.get_running_loop()
    assert callable(server)

    def later(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(loop.call_later, seconds, server, number, frame)

    signal.signal(signal.SIGTERM, later)
