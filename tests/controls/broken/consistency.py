"""The kiosk, careless with orders."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

import asyncio
from contextlib import suppress

import asyncpg
from starlette.applications import Starlette

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused, Undetermined

__all__ = [
    "answers_before_commit_and_ignores_keys",
    "repeats_without_a_key",
    "success_after_a_timeout",
    "swallows_an_error_and_looks_before_it_writes",
    "written_behind",
]


class AnswersBeforeCommit(Counter):
    """COMMIT follows the answer, so that one COMMIT may serve several orders."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._under_way: set[asyncio.Task[None]] = set()

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, or promise to."""
        placed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._place(until, customer, key, placed))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await placed

    async def _place(
        self, until: float, customer: str, key: str | None, placed: asyncio.Future[int]
    ) -> None:
        try:
            async with self.pool.lease(until) as connection, connection.transaction():
                placed.set_result(await self.work(connection, customer, key))
                await asyncio.sleep(0.05)
        except (*DRIVER_ERRORS, Refused) as error:
            if not placed.done():
                placed.set_exception(error)


class WrittenBehind(Counter):
    """Orders go into a queue in memory; whoever empties it may fail."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._under_way: set[asyncio.Task[None]] = set()

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Accept an order."""
        task = asyncio.create_task(self._later(until, customer, key))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return 0

    async def _later(self, until: float, customer: str, key: str | None) -> None:
        with suppress(*DRIVER_ERRORS, Refused, Undetermined):
            await super().place(until, customer, key)


def written_behind() -> Starlette:
    """See `WrittenBehind`."""
    return kiosk(counter=WrittenBehind)


class SuccessAfterATimeout(Counter):
    """No news is good news."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order; when the time is over it will have been placed."""
        try:
            return await super().place(until, customer, key)
        except (TimeoutError, Undetermined):
            return 0


def success_after_a_timeout() -> Starlette:
    """See `SuccessAfterATimeout`."""
    return kiosk(counter=SuccessAfterATimeout)


class RepeatsWithoutAKey(Counter):
    """One statement, its own transaction; when the connection is lost, once more."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, at least once."""
        while True:
            try:
                async with self.pool.lease(until) as connection:
                    return await self.work(connection, customer, None)
            except DRIVER_ERRORS:
                if asyncio.get_running_loop().time() + 0.05 > until:
                    raise


def repeats_without_a_key() -> Starlette:
    """See `RepeatsWithoutAKey`."""
    return kiosk(counter=RepeatsWithoutAKey)


class KeyIgnored(Counter):
    """Every request is a new order."""

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Look for nothing that may be there already."""
        return await super().work(connection, customer, None)


class AnswersBeforeCommitAndIgnoresKeys(AnswersBeforeCommit, KeyIgnored):
    """Two defects that have nothing to do with each other."""


def answers_before_commit_and_ignores_keys() -> Starlette:
    """See `AnswersBeforeCommit` and `KeyIgnored`."""
    return kiosk(counter=AnswersBeforeCommitAndIgnoresKeys)


class LooksBeforeItWrites(Counter):
    """An order is told by its customer, and nothing in the table holds it to be the only one."""

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Place an order unless it is there: of two at once, neither sees the other."""
        found: int | None = await connection.fetchval(
            "SELECT id FROM orders WHERE customer = $1", customer
        )
        if found is not None:
            return found
        return await super().work(connection, customer, None)


class SwallowsAnError(Counter):
    """A statement that was cancelled was not so important."""

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Place an order; where that fails the transaction is lost, and COMMIT says nothing."""
        try:
            return await super().work(connection, customer, key)
        except asyncpg.QueryCanceledError:
            return 0


class SwallowsAnErrorAndLooksBeforeItWrites(SwallowsAnError, LooksBeforeItWrites):
    """Two defects that have nothing to do with each other."""


def swallows_an_error_and_looks_before_it_writes() -> Starlette:
    """See `SwallowsAnError` and `LooksBeforeItWrites`."""
    return kiosk(counter=SwallowsAnErrorAndLooksBeforeItWrites)
