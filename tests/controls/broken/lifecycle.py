"""The kiosk, whose process ends by what happens to its database."""

import os
import sys

from starlette.applications import Starlette

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.pool import Connection, Pool, Session

__all__ = ["exits_when_an_idle_session_ends"]


class ExitsWhenAnIdleSessionEnds(Pool):
    """Nothing listens to the errors of idle connections, so one of them ends the process: what
    node-postgres does where `pool.on("error")` is missing."""

    async def connection(self, until: float) -> Connection:
        """A connection of the pool, whose end is an answer to a request from now on."""
        connection = await super().connection(until)
        session = _session(connection)
        if session is not None:
            session.remove_termination_listener(_exit)
        return connection

    async def give_back(self, connection: Connection) -> None:
        """Return it to the pool, where its end is an error that nothing handles."""
        session = _session(connection)
        await super().give_back(connection)
        if session is not None and not session.is_closed():
            session.add_termination_listener(_exit)

    def close(self) -> None:
        """End every connection on purpose."""
        os._exit(0)


def _session(connection: Connection) -> "Session | None":
    """The session itself, not the pool's proxy of it; None if it was terminated in use."""
    session: Session | None = getattr(connection, "_con", None)
    return session


def _exit(_: Connection) -> None:
    sys.stderr.write("Unhandled 'error' event: the connection was terminated\n")
    sys.stderr.flush()
    os._exit(70)


def exits_when_an_idle_session_ends() -> Starlette:
    """See `ExitsWhenAnIdleSessionEnds`."""
    return kiosk(pool=ExitsWhenAnIdleSessionEnds)
