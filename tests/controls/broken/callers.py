"""The kiosk with connection leaks when callers disconnect."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.pool import Pool
from tests.controls.kiosk.settings import POOL

__all__ = ["CancelOnDisconnect", "leak_when_a_writer_goes", "leak_when_the_caller_goes"]


class CancelOnDisconnect:
    """Cancels a request when its caller disconnects."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or cancel it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await receive()

        async def again() -> Message:
            return body

        work = asyncio.ensure_future(self._app(scope, again, send))
        gone = asyncio.ensure_future(receive())
        await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
        gone.cancel()
        await asyncio.wait([work, gone])
        if not work.cancelled():
            work.result()


class LeakWhenTheCallerGoes(Pool):
    """Frees a place after success and after an error, but not after a cancellation."""

    @asynccontextmanager
    async def place(self, until: float) -> AsyncIterator[None]:
        """Hold a place in the pool."""
        async with asyncio.timeout_at(until):
            await self._places.acquire()
        try:
            yield
        except Exception:
            self._places.release()
            raise
        else:
            self._places.release()


class LeakWhenAWriterGoes(Counter):
    """Returns its connection after success and after an error, but not after a cancellation."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._leaked: list[object] = []

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        lease = self.pool.lease(until)
        connection = await lease.__aenter__()
        transaction = connection.transaction()
        try:
            await transaction.start()
            number = await self.work(connection, customer, key)
            await self.commit(transaction)
        except asyncio.CancelledError as error:
            # It keeps the last connection, so it recovers, though more slowly. Otherwise it would
            # be chance whether the last one leaks too.
            if len(self._leaked) < POOL - 1:
                self._leaked.append(lease)  # or Python would close it on collection
            else:
                await lease.__aexit__(type(error), error, None)
            raise
        except Exception as error:
            await self.undo(transaction)
            await lease.__aexit__(type(error), error, None)
            raise
        await lease.__aexit__(None, None, None)
        return number


def leak_when_a_writer_goes() -> Starlette:
    """Create the kiosk with `LeakWhenAWriterGoes`."""
    app = kiosk(counter=LeakWhenAWriterGoes)
    app.add_middleware(CancelOnDisconnect)
    return app


def leak_when_the_caller_goes() -> Starlette:
    """Create the kiosk with `LeakWhenTheCallerGoes`."""
    app = kiosk(pool=LeakWhenTheCallerGoes)
    app.add_middleware(CancelOnDisconnect)
    return app
