"""The kiosk, with callers that go away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.pool import Pool
from tests.controls.kiosk.settings import POOL

__all__ = ["leak_when_a_writer_goes", "leak_when_the_caller_goes"]


class EndedWithItsCaller:
    """Cancels a request when its caller goes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or end it."""
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
    """Frees a place after success and after an error, and forgets a cancellation."""

    @asynccontextmanager
    async def place(self, until: float) -> AsyncIterator[None]:
        """A place in the pool."""
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
    """Gives its connection back after success and after an error, and forgets a cancellation."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._forgotten: list[object] = []

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
            # All but one, so that it comes back, though slower: whether the last one is lost too
            # would be chance.
            if len(self._forgotten) < POOL - 1:
                self._forgotten.append(lease)  # or Python would end it by itself
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
    """See `LeakWhenAWriterGoes`."""
    app = kiosk(counter=LeakWhenAWriterGoes)
    app.add_middleware(EndedWithItsCaller)
    return app


def leak_when_the_caller_goes() -> Starlette:
    """See `LeakWhenTheCallerGoes`."""
    app = kiosk(pool=LeakWhenTheCallerGoes)
    app.add_middleware(EndedWithItsCaller)
    return app
