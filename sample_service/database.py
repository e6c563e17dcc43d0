"""The way to PostgreSQL: a bounded pool on which nothing waits beyond its request's deadline.

asyncpg's own time-outs cancel a query, and wait for the server to confirm that. A server that
accepts and never answers then holds the request and its place in the pool for ever. So the
deadline *terminates* the connection: the waiting query fails at once and the place is free.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from sample_service.deadline import Deadline
from sample_service.failures import (
    DRIVER_ERRORS,
    CommitUndetermined,
    ConnectionLost,
    may_succeed_again,
    means,
    sqlstate_of,
    undetermined,
)
from sample_service.gate import Gate
from sample_service.problems import COMMIT_UNDETERMINED, DATABASE_UNAVAILABLE, Problem
from sample_service.settings import Settings

__all__ = ["Connection", "Database", "Session", "session_settings"]

Session: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
T = TypeVar("T")

ATTEMPTS = 2
"""A second try finds a fresh connection. A third would find what the second found."""


def session_settings(settings: Settings) -> dict[str, str]:
    """What every session asks of the server, sent with the start-up packet: no round trip.

    A connection that we give up ends only our side; these end the server's.
    """
    work = f"{settings.time_to_work * 1000:.0f}ms"
    asked = {
        "application_name": "shop",
        "statement_timeout": work,
        "idle_in_transaction_session_timeout": work,
    }
    if settings.client_check_interval:
        asked["client_connection_check_interval"] = f"{settings.client_check_interval * 1000:.0f}ms"
    return asked


async def _nothing(_: Session) -> None:
    """Reset nothing: no unit changes its session's state, and a reset costs a round trip."""


class Database:
    """Runs units of work on a bounded pool; every failure comes out as a `Problem`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._gate = Gate(settings.pool_size, settings.pool_queue, settings.pool_patience)
        self._pool: asyncpg.Pool[asyncpg.Record]

    async def open(self) -> None:
        """Make the pool; connects to nothing yet, so it needs no database."""
        self._pool = await asyncpg.create_pool(
            self._settings.database_url.get_secret_value(),
            min_size=0,
            max_size=self._settings.pool_size,
            max_inactive_connection_lifetime=self._settings.idle_lifetime,
            timeout=self._settings.connect_timeout,
            server_settings=session_settings(self._settings),
            reset=_nothing,
        )

    def close(self) -> None:
        """End every connection at once: nobody is left who waits, and a database that does not
        answer cannot hold up the stop."""
        self._pool.terminate()

    async def warm(self) -> None:
        """Open what connections are missing, so that nobody has to wait for it later.

        Call it when the database is known to answer; it takes only places that are free. The pool
        hands out open connections first, so all free places are asked for at once: those that have
        one are back a moment later.
        """
        if self._pool.get_size() < self._settings.pool_size:
            deadline = Deadline.after(self._settings.connect_timeout)
            await asyncio.gather(*(self._touch(deadline) for _ in range(self._gate.free)))

    async def _touch(self, deadline: Deadline) -> None:
        with suppress(Problem):  # then it stays closed until the next call, or a request needs it
            async with self.lease(deadline):
                pass

    async def read(self, deadline: Deadline, query: str, *args: object) -> Sequence[asyncpg.Record]:
        """The rows of one query. Raises `Problem`."""

        async def attempt() -> Sequence[asyncpg.Record]:
            async with self.lease(deadline) as connection:
                return await connection.fetch(query, *args)

        return await self._try(attempt, deadline, repeatable=True)

    async def write(
        self,
        deadline: Deadline,
        unit: Callable[[Connection], Awaitable[T]],
        *,
        repeatable: bool,
    ) -> T:
        """Run `unit` in one transaction, and return its value only after COMMIT came back.

        `repeatable` says that a second run of the whole unit finds out whether the first took
        effect, because a key protects it; then even an undetermined COMMIT is tried again. Raises
        `Problem`: commit-undetermined where nobody can say, any other where nothing was done.
        """
        return await self._try(
            lambda: self.transact(deadline, unit), deadline, repeatable=repeatable
        )

    async def transact(self, deadline: Deadline, unit: Callable[[Connection], Awaitable[T]]) -> T:
        """One attempt of `write`. Raises `CommitUndetermined` besides what `unit` raises."""
        async with self.lease(deadline) as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                result = await unit(connection)
            except Exception:
                if _is_open(connection):
                    await transaction.rollback()
                raise
            if not _is_open(connection):
                raise ConnectionLost  # COMMIT cannot have been sent
            try:
                await transaction.commit()
            except DRIVER_ERRORS as error:
                if undetermined(error):
                    raise CommitUndetermined from error
                raise
            return result

    @asynccontextmanager
    async def lease(self, deadline: Deadline) -> AsyncIterator[Connection]:
        """A connection until the block ends, or the deadline: then it is terminated under the
        block's hands, and whatever waits for it fails."""
        async with self._gate.slot(deadline):
            connection = await self._acquire(deadline)
            late = False

            def give_up() -> None:
                nonlocal late
                late = True
                connection.terminate()

            end = asyncio.get_running_loop().call_later(deadline.left(), give_up)
            try:
                yield connection
            except DRIVER_ERRORS as error:
                if late:
                    raise TimeoutError from error
                if isinstance(error, asyncpg.InterfaceError) and not _is_open(connection):
                    raise ConnectionLost from error
                raise
            except asyncio.CancelledError:
                connection.terminate()  # or the release would wait for a cancel to be confirmed
                raise
            finally:
                end.cancel()
                await self._pool.release(connection)

    async def _acquire(self, deadline: Deadline) -> Connection:
        try:
            return await self._pool.acquire(timeout=deadline.left())
        except TimeoutError as error:
            raise Problem(DATABASE_UNAVAILABLE, "No connection could be opened in time.") from error
        except DRIVER_ERRORS as error:
            problem = means(error)
            if problem is None:
                raise
            raise problem from error

    async def _try(
        self, attempt: Callable[[], Awaitable[T]], deadline: Deadline, *, repeatable: bool
    ) -> T:
        unknown: CommitUndetermined | None = None
        for attempts_left in reversed(range(ATTEMPTS)):
            try:
                return await attempt()
            except CommitUndetermined as error:
                unknown = error
                if not repeatable or deadline.is_over():
                    break
            except Problem:
                if unknown:
                    break  # the second try did not find out either
                raise
            except (*DRIVER_ERRORS, ConnectionLost) as error:
                if unknown:
                    break
                if attempts_left and may_succeed_again(error) and not deadline.is_over():
                    continue
                problem = means(error)
                if problem is None:
                    raise
                raise problem from error
        raise Problem(
            COMMIT_UNDETERMINED,
            "The change may have been made. Look, or send it again with the same Idempotency-Key.",
            sqlstate=sqlstate_of(unknown),
        ) from unknown


def _is_open(connection: Connection) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # given up already, and taken out of its proxy
        return False
