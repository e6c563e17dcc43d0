"""Declarations that tests name with `--brownout-service`."""

import time
from collections import deque
from dataclasses import replace

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.declaration import declared_kiosk

__all__ = ["limited", "limited_and_declared", "limited_kiosk", "sound"]

ADMITTED = 10  # requests in each second, less than one look at the steady state takes


class RateLimiter:
    """Refuses what exceeds `ADMITTED` requests within a second, the probes' too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._admitted: deque[float] = deque(maxlen=ADMITTED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit the request, or answer 429."""
        if scope["type"] == "http":
            now = time.monotonic()
            if len(self._admitted) == ADMITTED and now - self._admitted[0] < 1:
                await PlainTextResponse("Too many requests.", 429)(scope, receive, send)
                return
            self._admitted.append(now)
        await self._app(scope, receive, send)


def limited_kiosk() -> Starlette:
    """The kiosk behind `RateLimiter`."""
    app = kiosk()
    app.user_middleware.append(Middleware(RateLimiter))
    return app


sound = declared_kiosk("tests.controls.kiosk.app:kiosk")
"""The kiosk, which keeps every promise."""

limited = declared_kiosk("tests.trial.declared:limited_kiosk")
"""The same behind a rate limiter that its declaration does not mention."""

limited_and_declared = replace(limited, pace=ADMITTED * 0.8)
"""The same, with its pace."""
