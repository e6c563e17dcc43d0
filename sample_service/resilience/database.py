"""Runs queries and transactions with a circuit and retries; every failure is a `Problem`."""

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
    is_retryable,
    leaves_commit_undetermined,
    problem_of,
    sqlstate_of,
)
from sample_service.resilience.pool import Connection, Pool, is_open
from sample_service.settings import Settings

__all__ = ["Database"]

T = TypeVar("T")

ATTEMPTS: Final = 3
FIRST_WAIT: Final = 0.01
LONGEST_WAIT: Final = 0.1
JITTER: Final = 0.02
"""Seconds between attempts: they grow, and the jitter spreads the callers."""


class Database:
    """Runs units of work on the pool. Every method raises `Problem`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.pool = Pool(settings)
        self.circuits: dict[str, Circuit] = {}
        self.budget = RetryBudget(ratio=settings.retry_ratio, reserve=settings.retry_reserve)

    def circuit(self, name: str) -> Circuit:
        """Return the circuit of that name; each table has one."""
        return self.circuits.setdefault(name, Circuit.of(name, self._settings))

    @property
    def waiting(self) -> int:
        """How many requests wait for a connection."""
        return self.pool.gate.waiting + sum(
            circuit.gate.waiting + circuit.changes.waiting for circuit in self.circuits.values()
        )

    async def read(
        self, deadline: Deadline, circuit: Circuit, query: str, *args: object
    ) -> Sequence[asyncpg.Record]:
        """Return the rows of one query."""

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
        """Run `unit` in one transaction, and return its value once COMMIT is confirmed.

        `repeatable` means that a second run of the unit finds out whether the first took effect, so
        even an undetermined COMMIT is retried. The problem commit-undetermined means that the
        outcome is unknown; any other means that nothing was changed.
        """

        async def attempt() -> T:
            return await self.transact(deadline, circuit, unit)

        return await self._try(attempt, deadline, repeatable=repeatable)

    async def transact(
        self, deadline: Deadline, circuit: Circuit, unit: Callable[[Connection], Awaitable[T]]
    ) -> T:
        """Make one attempt of `write`. Raises `CommitUndetermined`, and what `unit` raises."""
        patience = deadline.within(self._settings.pool_patience)
        async with (
            circuit.changes.slot(patience),
            self.pool.lease(deadline, circuit) as connection,
        ):
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
                if leaves_commit_undetermined(error):
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
            retryable = repeatable if error is unknown else is_retryable(error)
            # stamina asks after the last attempt too, which must not spend from the budget.
            possible = failed < ATTEMPTS and deadline.left() > LONGEST_WAIT + JITTER + TOO_LITTLE
            return retryable and possible and self.budget.spend()

        self.budget.earn()
        try:
            try:
                return await attempt()  # outside stamina, which costs time on every call
            except Exception as error:
                if not again(error):
                    raise
            await asyncio.sleep(random.uniform(0, JITTER))  # noqa: S311 - not a secret
            async for tried in stamina.retry_context(
                on=again,
                attempts=ATTEMPTS - 1,
                timeout=None,  # `again` checks the deadline
                wait_initial=FIRST_WAIT,
                wait_max=LONGEST_WAIT,
                wait_jitter=JITTER,
            ):
                with tried:
                    return await attempt()
        except (*DRIVER_ERRORS, ConnectionLost, CommitUndetermined, Problem) as error:
            if unknown:  # the later attempts did not find out either
                problem = Problem(
                    COMMIT_UNDETERMINED,
                    "The change may have been made. Check, or retry with the same key.",
                    sqlstate=sqlstate_of(unknown),
                )
                raise problem from unknown
            meant = error if isinstance(error, Problem) else problem_of(error)
            if meant is None or meant is error:
                raise
            raise meant from error
        raise AssertionError  # unreachable: the last attempt returns or raises
