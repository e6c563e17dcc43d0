"""The kiosk with pools and a breaker whose way back a second fault ends for good."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

import asyncio
import sys
from http import HTTPStatus
from typing import Final

import asyncpg
from starlette.applications import Starlette

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.guarded import Guarded
from tests.controls.kiosk.pool import Connection, OwnPool, Session
from tests.controls.kiosk.refusals import Refused

__all__ = [
    "breaker_keeps_its_trial",
    "gives_up_on_connects",
    "reconnects_for_ever",
]

PATIENCE: Final = 0.1
"""How long a request waits for a connection in the place of a lost one, in seconds."""


class Reconnecting(OwnPool):
    """After a connection was lost while it was idle, new ones are opened by `reconnect`, until one
    is there."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._lost = False

    async def connection(self, until: float) -> Connection:
        """Take the connection that was given back last, or open one."""
        while self._free:
            free = self._free.pop()
            if not free.is_closed():
                return free
            self._lost = True
        left = max(0.001, until - asyncio.get_running_loop().time())
        if not self._lost:
            return await self.opened(left)
        connection = await self.reconnect(left)
        self._lost = False
        return connection

    async def opened(self, left: float) -> Session:
        """Open a connection in the time that is left, in seconds."""
        return await asyncpg.connect(self._dsn, timeout=left, server_settings=self.settings)

    async def reconnect(self, left: float) -> Session:
        """Open a connection in the place of one that was lost."""
        return await self.opened(left)


class ReconnectsForEver(Reconnecting):
    """Lets one request reconnect, and refuses the others meanwhile. It knows that a connect fails,
    and not that one is never answered."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._reconnecting = False

    async def reconnect(self, left: float) -> Session:
        """Open a connection, unless another request does."""
        if self._reconnecting:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The connection is being replaced.")
        self._reconnecting = True
        try:
            connection = await super().reconnect(left)
        except (ConnectionError, asyncpg.PostgresError):
            self._reconnecting = False
            raise
        self._reconnecting = False
        return connection


def reconnects_for_ever() -> Starlette:
    """Create the kiosk with `ReconnectsForEver`."""
    return kiosk(pool=ReconnectsForEver)


class GivesUpOnConnects(Reconnecting):
    """Does not let a request wait for long while it reconnects, and forgets the connection that
    comes after that."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._connects: set[asyncio.Task[Session]] = set()

    async def reconnect(self, left: float) -> Session:
        """Open a connection, and wait a moment for it."""
        connect = asyncio.create_task(super().reconnect(left))
        self._connects.add(connect)
        try:
            async with asyncio.timeout(min(left, PATIENCE)):
                return await asyncio.shield(connect)
        except TimeoutError:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Try again shortly.") from None


def gives_up_on_connects() -> Starlette:
    """Create the kiosk with `GivesUpOnConnects`."""
    return kiosk(pool=GivesUpOnConnects)


class KeepsItsTrial(Guarded):
    """Opens its breaker when requests fail one after the other, not when they are late, and closes
    it after a trial. A trial that is late never ends."""

    def count(self, *, failed: bool) -> None:
        """Count one outcome three times, so two failures open the breaker; not what is late."""
        if not isinstance(sys.exception(), TimeoutError):
            for _ in range(3):
                super().count(failed=failed)

    def allows_trial(self, rested: float) -> bool:
        """Whether an open breaker lets this request through."""
        return not self._trial

    def trial_ended(self) -> None:
        """Let the next request be the trial, unless this one is late."""
        if not isinstance(sys.exception(), TimeoutError):
            super().trial_ended()


def breaker_keeps_its_trial() -> Starlette:
    """Create the kiosk with `KeepsItsTrial`."""
    return kiosk(counter=KeepsItsTrial)
