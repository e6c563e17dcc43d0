"""The kiosk with lost or duplicate orders."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

import asyncio
from collections import deque
from contextlib import suppress
from http import HTTPStatus
from typing import ClassVar

import asyncpg
from asyncpg.transaction import Transaction
from starlette.applications import Starlette

from tests.controls.broken.bundle import bundle
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import PLACE, Counter
from tests.controls.kiosk.pool import SESSION, Connection, Pool
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused, Undetermined

__all__ = [
    "counted_afterwards_bundle",
    "early_answer_bundle",
    "not_saved",
    "not_saved_in_one_statement",
    "refused_commit_taken_for_done",
    "retries_without_a_key",
    "success_after_a_timeout",
    "success_before_the_disk",
    "swallowed_error_bundle",
    "written_behind",
]


class AnswerBeforeCommit(Counter):
    """Answers before COMMIT."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._under_way: set[asyncio.Task[None]] = set()

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Return the order's number before COMMIT."""
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
    """Acknowledges orders and writes them later, without handling failures."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._under_way: set[asyncio.Task[None]] = set()

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Acknowledge the order."""
        task = asyncio.create_task(self._later(until, customer, key))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return 0

    async def _later(self, until: float, customer: str, key: str | None) -> None:
        with suppress(*DRIVER_ERRORS, Refused, Undetermined):
            await super().place(until, customer, key)


def written_behind() -> Starlette:
    """Create the kiosk with `WrittenBehind`."""
    return kiosk(counter=WrittenBehind)


class SuccessAfterATimeout(Counter):
    """Reports success after a time-out."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order; return 0 after a time-out or an undetermined COMMIT."""
        try:
            return await super().place(until, customer, key)
        except (TimeoutError, Undetermined):
            return 0


def success_after_a_timeout() -> Starlette:
    """Create the kiosk with `SuccessAfterATimeout`."""
    return kiosk(counter=SuccessAfterATimeout)


class SuccessBeforeTheDisk(Pool):
    """Asks the server not to wait for its disk, as some do for speed."""

    settings: ClassVar[dict[str, str]] = {**SESSION, "synchronous_commit": "off"}


def success_before_the_disk() -> Starlette:
    """Create the kiosk with `SuccessBeforeTheDisk`."""
    return kiosk(pool=SuccessBeforeTheDisk)


class RetriesWithoutAKey(Counter):
    """Retries a lost write although it has no key."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, at least once."""
        while True:
            try:
                async with self.pool.lease(until) as connection:
                    return await self.work(connection, customer, None)
            except DRIVER_ERRORS:
                if asyncio.get_running_loop().time() + 0.05 > until:
                    raise


def retries_without_a_key() -> Starlette:
    """Create the kiosk with `RetriesWithoutAKey`."""
    return kiosk(counter=RetriesWithoutAKey)


class IgnoredKey(Counter):
    """Places a new order for every request."""

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Place an order without its key."""
        return await super().work(connection, customer, None)


def early_answer_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(counter=bundle(AnswerBeforeCommit, IgnoredKey))


class CheckBeforeWrite(Counter):
    """Looks for the customer's order first, without a constraint in the table."""

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Place an order unless there is one; two concurrent requests do not see each other."""
        found: int | None = await connection.fetchval(
            "SELECT id FROM orders WHERE customer = $1", customer
        )
        if found is not None:
            return found
        return await super().work(connection, customer, None)


class NotSaved(Counter):
    """Reports a COMMIT without a reply as a write that was not done."""

    async def commit(self, transaction: Transaction) -> None:
        """Commit, and take a lost reply for a failure."""
        try:
            await super().commit(transaction)
        except Undetermined as error:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "It was not saved.") from error


def not_saved() -> Starlette:
    """Create the kiosk with `NotSaved`."""
    return kiosk(counter=NotSaved)


class NotSavedInOneStatement(Counter):
    """Places an order by one statement, which commits by itself, and reports one that was not
    answered in time as not done."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order; a server that was sent the statement may still carry it out."""
        try:
            async with self.pool.lease(until) as connection:
                placed: int = await connection.fetchval(PLACE, customer, key)
                return placed
        except TimeoutError as error:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "It was not saved.") from error


def not_saved_in_one_statement() -> Starlette:
    """Create the kiosk with `NotSavedInOneStatement`."""
    return kiosk(counter=NotSavedInOneStatement)


class RefusedCommitTakenForDone(Counter):
    """Takes a transaction whose statements have succeeded for done."""

    async def commit(self, transaction: Transaction) -> None:
        """Commit, and ignore that the transactions could not be serialized."""
        with suppress(asyncpg.SerializationError):
            await super().commit(transaction)


def refused_commit_taken_for_done() -> Starlette:
    """Create the kiosk with `RefusedCommitTakenForDone`."""
    return kiosk(counter=RefusedCommitTakenForDone)


class CountedAfterwards(Counter):
    """Does a second thing after COMMIT, and fails the request if it fails."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, and then count those of the customer in another transaction."""
        number = await super().place(until, customer, key)
        async with self.pool.lease(until) as connection:
            await connection.execute("UPDATE orders SET customer = customer WHERE id = $1", number)
        return number


class ListedBeforeCommit(Counter):
    """Keeps a list of the last orders, and adds to it before COMMIT."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._last: deque[dict[str, object]] = deque(maxlen=40)

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Place an order, and list it."""
        number = await super().work(connection, customer, key)
        self._last.appendleft({"id": number, "customer": customer})
        return number

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the list, or the database's before there is one."""
        return list(self._last) or await super().orders(until)


def counted_afterwards_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(counter=bundle(CountedAfterwards, ListedBeforeCommit))


class SwallowedError(Counter):
    """Ignores that the server cancelled a statement."""

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Place an order; after a cancelled statement COMMIT rolls back without an error."""
        try:
            return await super().work(connection, customer, key)
        except asyncpg.QueryCanceledError:
            return 0


def swallowed_error_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(counter=bundle(SwallowedError, CheckBeforeWrite))
