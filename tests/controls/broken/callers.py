"""The kiosk, with callers that go away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.pool import Pool

__all__ = ["leak_when_the_caller_goes"]


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


def leak_when_the_caller_goes() -> Starlette:
    """See `LeakWhenTheCallerGoes`."""
    app = kiosk(pool=LeakWhenTheCallerGoes)
    app.add_middleware(EndedWithItsCaller)
    return app
