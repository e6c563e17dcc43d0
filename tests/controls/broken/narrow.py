"""The kiosk with well-known defects in one place only: writes, silence, one fault, one moment."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import asyncpg
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.probes import Probes
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused, Undetermined
from tests.controls.kiosk.retrying import Retrying

__all__ = [
    "attempts_without_a_limit",
    "key_burnt_by_a_failure",
    "key_outside_the_transaction",
    "no_deadline_for_writes",
    "pool_of_its_own_for_writes",
    "readiness_with_the_dsn",
    "silent_commit_not_saved",
    "sleeps_when_refused",
]


class AttemptsWithoutALimit(Retrying):
    """Tries again for as long as there is time, at ever longer pauses."""

    attempts = 1000

    def pause(self, attempt: int) -> float:
        """Return short pauses that grow slowly."""
        return super().pause(min(attempt, 2)) / 4

    def spend(self) -> bool:
        """Allow each retry."""
        return True


def attempts_without_a_limit() -> Starlette:
    """Create the kiosk with `AttemptsWithoutALimit`."""
    return kiosk(counter=AttemptsWithoutALimit)


class KeyOutsideTheTransaction(Counter):
    """Notes that a key was used before it does what it was used for."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, unless its key was seen."""
        if key is not None:
            async with self.pool.lease(until) as connection:
                noted = await connection.fetchval(
                    "INSERT INTO used_keys VALUES ($1) ON CONFLICT DO NOTHING RETURNING true", key
                )
            if not noted:
                return 0
        return await super().place(until, customer, None)


def key_outside_the_transaction() -> Starlette:
    """Create the kiosk with `KeyOutsideTheTransaction`."""
    return kiosk(counter=KeyOutsideTheTransaction)


class KeyBurntByAFailure(Counter):
    """Marks a key as in use, and lets it be used again only for what succeeded."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, unless its key is in use."""
        async with self.pool.lease(until) as connection:
            marked = await connection.fetchval(
                "INSERT INTO marks VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true",
                key,
                customer,
            )
            found = await connection.fetchrow("SELECT * FROM marks WHERE key = $1", key)
        if marked:
            number = await super().place(until, customer, None)
            async with self.pool.lease(until) as connection:
                await connection.execute("UPDATE marks SET number = $2 WHERE key = $1", key, number)
            return number
        assert found is not None
        if found["number"] is None:
            raise Refused(HTTPStatus.CONFLICT, "The key is in use.")
        return self.found(found["number"], found["customer"], customer)


def key_burnt_by_a_failure() -> Starlette:
    """Create the kiosk with `KeyBurntByAFailure`."""
    return kiosk(counter=KeyBurntByAFailure)


class NoDeadlineForWrites(Pool):
    """Ends a query at the deadline only where its request says so."""

    settings = {"client_connection_check_interval": "100"}  # noqa: RUF012

    @asynccontextmanager
    async def unbounded(self, until: float) -> AsyncIterator[Connection]:
        """Lease a connection for as long as it takes."""
        async with self.place(until):
            connection = await self.connection(until)
            try:
                yield connection
            finally:
                await self.give_back(connection)


class WritesForAsLongAsItTakes(Counter):
    """Lists orders by the deadline, and places them without one."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        assert isinstance(self.pool, NoDeadlineForWrites)
        async with self.pool.unbounded(until) as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                number = await self.work(connection, customer, key)
            except asyncpg.PostgresError:
                await self.undo(transaction)
                raise
            await self.commit(transaction)
            return number


def no_deadline_for_writes() -> Starlette:
    """Create the kiosk with `WritesForAsLongAsItTakes`."""
    return kiosk(pool=NoDeadlineForWrites, counter=WritesForAsLongAsItTakes)


class PoolOfItsOwnForWrites(Counter):
    """Opens a second pool as large as the first, which the budget does not know."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._writing = Pool(pool._dsn)
        self._opened: asyncio.Task[None] | None = None

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order over the second pool."""
        if self._opened is None:
            self._opened = asyncio.create_task(self._writing.open())
        await self._opened
        return await Counter(self._writing).place(until, customer, key)


def pool_of_its_own_for_writes() -> Starlette:
    """Create the kiosk with `PoolOfItsOwnForWrites`."""
    return kiosk(counter=PoolOfItsOwnForWrites)


class ReadinessWithTheDsn(Probes):
    """Shows each prober where the database is, while all is well."""

    def answer(self, *, passes: bool) -> Response:
        """Answer with the DSN where it passes."""
        if not passes:
            return super().answer(passes=passes)
        return JSONResponse({"status": "pass", "links": {"database": self._dsn}})


def readiness_with_the_dsn() -> Starlette:
    """Create the kiosk with `ReadinessWithTheDsn`."""
    return kiosk(probes=ReadinessWithTheDsn)


class SilentCommitNotSaved(Counter):
    """Knows that a lost connection leaves a COMMIT open, and takes a time-out for "not saved"."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        try:
            return await super().place(until, customer, key)
        except Undetermined:
            if asyncio.get_running_loop().time() >= until:
                raise TimeoutError from None
            raise


def silent_commit_not_saved() -> Starlette:
    """Create the kiosk with `SilentCommitNotSaved`."""
    return kiosk(counter=SilentCommitNotSaved)


class SleepsWhenRefused(Pool):
    """Calls `time.sleep` before it connects again, and only then."""

    async def connection(self, until: float) -> Connection:
        """Acquire a connection, with one more try after a pause."""
        try:
            return await super().connection(until)
        except DRIVER_ERRORS:
            time.sleep(0.3)  # noqa: ASYNC251 - the defect
            return await super().connection(until)


def sleeps_when_refused() -> Starlette:
    """Create the kiosk with `SleepsWhenRefused`."""
    return kiosk(pool=SleepsWhenRefused)
