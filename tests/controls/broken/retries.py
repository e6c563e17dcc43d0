"""The kiosk with retries that are wrong."""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

import asyncpg
from asyncpg.transaction import Transaction
from starlette.applications import Starlette

from tests.controls.broken.bundle import bundle
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import PLACE, Counter
from tests.controls.kiosk.pool import Connection
from tests.controls.kiosk.refusals import Refused, Undetermined
from tests.controls.kiosk.retrying import Retrying
from tests.controls.kiosk.settings import DEADLINE

__all__ = [
    "commits_outside_of_retries",
    "hasty_retries_bundle",
    "no_retries",
    "reads_retry_any_error",
    "two_layers_of_retries",
    "wrong_retries_bundle",
]

Result = TypeVar("Result")


class FixedPause(Retrying):
    """Waits equally long before each attempt."""

    def pause(self, attempt: int) -> float:  # noqa: ARG002 - as in the class that it replaces
        """Return the same for all; long beside what a busy machine adds to it."""
        return 0.2


class LineForEachAttempt(Retrying):
    """Logs each attempt as an error."""

    def failed(self, error: BaseException) -> None:
        """Write a line."""
        print(f"ERROR an attempt failed: {type(error).__name__}", file=sys.stderr, flush=True)


class RepeatsUnanswered(Retrying):
    """Places an order once more if its COMMIT was not answered, with a key and without."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        try:
            return await super().place(until, customer, key)
        except Undetermined:
            return await super().place(until, customer, key)


def hasty_retries_bundle() -> Starlette:
    """Create the kiosk with three independent defects."""
    return kiosk(counter=bundle(FixedPause, LineForEachAttempt, RepeatsUnanswered))


class TwoLayers(Retrying):
    """Tries again inside of trying again, whatever it costs."""

    async def again(self, work: Callable[[float], Awaitable[Result]], until: float) -> Result:
        """Do the work until it succeeds, in two layers."""
        inner = super().again

        async def layer(until: float) -> Result:
            return await inner(work, until)

        return await inner(layer, until)

    def pause(self, attempt: int) -> float:
        """Return pauses of which all find the time, and which differ by more than a busy machine
        adds."""
        longest: int = 8 ** (attempt - 1)
        return 0.01 * longest * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret

    def spend(self) -> bool:
        """Allow each retry."""
        return True


def two_layers_of_retries() -> Starlette:
    """Create the kiosk with `TwoLayers`."""
    return kiosk(counter=TwoLayers)


class StatementAlone(Retrying):
    """Sends a statement that met a conflict again, in the transaction that it has ended."""

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Place an order, with a second try of the last statement."""
        try:
            return await super().work(connection, customer, key)
        except asyncpg.TransactionRollbackError:
            placed: int = await connection.fetchval(PLACE, customer, key)
            return placed


class RetriesUnusableValues(Retrying):
    """Tries again what cannot succeed."""

    def retryable(self, error: BaseException) -> bool:
        """Whether the error is one of a value, or a transient one."""
        return isinstance(error, asyncpg.DataError) or super().retryable(error)


class LateRetries(Retrying):
    """Does not look at the time before it tries again."""

    def pause(self, attempt: int) -> float:
        """Return pauses that are longer than a caller waits."""
        return DEADLINE + super().pause(attempt)

    def in_time(self, pause: float, left: float) -> bool:  # noqa: ARG002 - as in `Retrying`
        """Allow each pause."""
        return True

    async def again(self, work: Callable[[float], Awaitable[Result]], until: float) -> Result:
        """Do the work with a new deadline for each attempt."""

        async def anew(_: float) -> Result:
            return await work(asyncio.get_running_loop().time() + DEADLINE / 2)

        return await super().again(anew, until)


def wrong_retries_bundle() -> Starlette:
    """Create the kiosk with three independent defects."""
    return kiosk(counter=bundle(StatementAlone, RetriesUnusableValues, LateRetries))


class CommitsOutside(Retrying):
    """Tries again what the service's function does; its transaction is committed after that, as
    middleware does."""

    async def commit(self, transaction: Transaction) -> None:
        """Commit, and try nothing again."""
        try:
            await super().commit(transaction)
        except asyncpg.PostgresError as error:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Try again shortly.") from error


def commits_outside_of_retries() -> Starlette:
    """Create the kiosk with `CommitsOutside`."""
    return kiosk(counter=CommitsOutside)


class RetriesAnyErrorOfReads(Retrying):
    """Tries a read again whatever the error is."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders."""

        async def once(until: float) -> list[dict[str, object]]:
            try:
                return await Counter.orders(self, until)
            except asyncpg.PostgresError as error:
                raise ConnectionError from error

        return await self.again(once, until)


def reads_retry_any_error() -> Starlette:
    """Create the kiosk with `RetriesAnyErrorOfReads`."""
    return kiosk(counter=RetriesAnyErrorOfReads)


def no_retries() -> Starlette:
    """Create the kiosk as it is."""
    return kiosk()
