"""Units of work: each with its circuit and its retries, every failure a `Problem`."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import asyncpg
import stamina

from sample_service.problems import COMMIT_UNDETERMINED, Problem
from sample_service.resilience.budget import RetryBudget
from sample_service.resilience.circuit import Circuit
from sample_service.resilience.deadline import TOO_LITTLE, Deadline
from sample_service.resilience.failures import (
    DRIVER_ERRORS,
    CommitUndetermined,
    ConnectionLost,
    may_succeed_again,
    means,
    sqlstate_of,
    undetermined,
)
from sample_service.resilience.pool import Connection, Pool, is_open
from sample_service.settings import Settings

__all__ = ["Database"]

T = TypeVar("T")

ATTEMPTS: Final = 3
FIRST_WAIT: Final = 0.01
LONGEST_WAIT: Final = 0.1
JITTER: Final = 0.02
"""Seconds between attempts: they grow, and no two callers wait alike."""


class Database:
    """Runs units of work on the pool. Every method raises `Problem`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.pool = Pool(settings)
        self.circuits: dict[str, Circuit] = {}
        self.budget = RetryBudget(ratio=settings.retry_ratio, reserve=settings.retry_reserve)

    def circuit(self, name: str) -> Circuit:
        """The circuit of that name, one for each table that work is about."""
        return self.circuits.setdefault(name, Circuit.of(name, self._settings))

    @property
    def waiting(self) -> int:
        """How many requests wait for a connection."""
        return self.pool.gate.waiting + sum(c.gate.waiting for c in self.circuits.values())

    async def read(
        self, deadline: Deadline, circuit: Circuit, query: str, *args: object
    ) -> Sequence[asyncpg.Record]:
        """The rows of one query."""

        async def attempt() -> Sequence[asyncpg.Record]:
            async with self.pool.lease(deadline, circuit) as connection:
                return await connection.fetch(query, *args)

        return await self._try(attempt, deadline, repeatable=True)

    async def write(
        self,
        deadline: Deadline,
        circuit: Circuit,
        unit: Callable[[Connection], Awaitable[T]],
        *,
        repeatable: bool,
    ) -> T:
        """Run `unit` in one transaction, and return its value only after COMMIT came back.

        `repeatable` says that a second run of the whole unit finds out whether the first took
        effect; then even an undetermined COMMIT is tried again. The problem commit-undetermined
        says that nobody knows; every other, that nothing was done.
        """

        async def attempt() -> T:
            return await self.transact(deadline, circuit, unit)

        return await self._try(attempt, deadline, repeatable=repeatable)

    async def transact(
        self, deadline: Deadline, circuit: Circuit, unit: Callable[[Connection], Awaitable[T]]
    ) -> T:
        """One attempt of `write`. Raises `CommitUndetermined` besides what `unit` raises."""
        async with self.pool.lease(deadline, circuit) as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                result = await unit(connection)
            except Exception:
                if is_open(connection):
                    await transaction.rollback()
                raise
            if not is_open(connection):
                raise ConnectionLost  # COMMIT cannot have been sent
            try:
                await transaction.commit()
            except DRIVER_ERRORS as error:
                if undetermined(error):
                    raise CommitUndetermined from error
                raise
            return result

    async def _try(
        self, attempt: Callable[[], Awaitable[T]], deadline: Deadline, *, repeatable: bool
    ) -> T:
        unknown: CommitUndetermined | None = None
        failed = 0

        def again(error: Exception) -> bool:
            nonlocal unknown, failed
            failed += 1
            if isinstance(error, CommitUndetermined):
                unknown = error
            worth = repeatable if error is unknown else may_succeed_again(error)
            # Asked after the last attempt too, which no retry follows that could be paid for.
            may = failed < ATTEMPTS and deadline.left() > LONGEST_WAIT + JITTER + TOO_LITTLE
            return worth and may and self.budget.spend()

        self.budget.earn()
        try:
            try:
                return await attempt()  # by itself, so that a retry costs only who needs one
            except Exception as error:
                if not again(error):
                    raise
            await asyncio.sleep(random.uniform(0, JITTER))  # noqa: S311 - not a secret
            async for tried in stamina.retry_context(
                on=again,
                attempts=ATTEMPTS - 1,
                timeout=None,  # `again` knows the deadline
                wait_initial=FIRST_WAIT,
                wait_max=LONGEST_WAIT,
                wait_jitter=JITTER,
            ):
                with tried:
                    return await attempt()
        except (*DRIVER_ERRORS, ConnectionLost, CommitUndetermined, Problem) as error:
            if unknown:  # whatever a later attempt met, it did not find out either
                problem = Problem(
                    COMMIT_UNDETERMINED,
                    "The change may have been made. Look, or send it again with the same key.",
                    sqlstate=sqlstate_of(unknown),
                )
                raise problem from unknown
            problem_or_bug = error if isinstance(error, Problem) else means(error)
            if problem_or_bug is None or problem_or_bug is error:
                raise
            raise problem_or_bug from error
        raise AssertionError  # the last attempt returns or raises; the type checker cannot know
