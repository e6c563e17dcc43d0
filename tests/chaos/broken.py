"""The kiosk with defects that one fault alone does not show; the sound one, too."""

import os
from http import HTTPStatus

import asyncpg
from starlette.applications import Starlette

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import FIND, Counter
from tests.controls.kiosk.pool import Connection, Pool
from tests.controls.kiosk.refusals import DRIVER_ERRORS, LOST, Refused, Undetermined

__all__ = [
    "another_key_after_a_conflict",
    "compensation_that_may_fail",
    "done_after_a_conflict",
    "ends_after_two_kinds",
    "sound",
]

ORDER = "INSERT INTO orders (customer, key) VALUES ($1, $2) RETURNING id"
RECEIPT = "INSERT INTO receipts VALUES ($1)"
UNDO = "DELETE FROM orders WHERE id = $1"

CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)


class DoneAfterAConflict(Counter):
    """Tries again after a conflict, and takes a COMMIT of unknown fate for done there."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        try:
            return await super().place(until, customer, key)
        except CONFLICTS:
            try:
                return await super().place(until, customer, key)
            except Undetermined:
                return 0


def done_after_a_conflict() -> Starlette:
    """Create the kiosk with `DoneAfterAConflict`."""
    return kiosk(counter=DoneAfterAConflict)


class AnotherKeyAfterAConflict(Counter):
    """Tries again after a conflict, under a key of its own."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        try:
            return await super().place(until, customer, key)
        except CONFLICTS:
            return await super().place(until, customer, key and f"{key}:2")


def another_key_after_a_conflict() -> Starlette:
    """Create the kiosk with `AnotherKeyAfterAConflict`."""
    return kiosk(counter=AnotherKeyAfterAConflict)


class CompensationThatMayFail(Counter):
    """Writes the order and its receipt one after the other, and takes the order back if there is no
    receipt."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        async with self.pool.lease(until) as connection:
            found = await connection.fetchrow(FIND, key) if key else None
            if found is not None:
                return self.found(found["id"], found["customer"], customer)
            try:
                number: int = await connection.fetchval(ORDER, customer, key)
            except DRIVER_ERRORS as error:
                if isinstance(error, LOST):
                    raise Undetermined from error
                raise
            try:
                await connection.execute(RECEIPT, number)
            except asyncpg.PostgresError as error:
                await self.take_back(connection, number)
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "There is no receipt.") from error
            except LOST as error:
                raise Undetermined from error
            return number

    async def take_back(self, connection: Connection, number: int) -> None:
        """Delete the order; its caller hears of the first failure."""
        await connection.execute(UNDO, number)


def compensation_that_may_fail() -> Starlette:
    """Create the kiosk with `CompensationThatMayFail`."""
    return kiosk(counter=CompensationThatMayFail)


class EndsAfterTwoKinds(Counter):
    """Counts on a supervisor when a query fails after a connection was lost."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._lost = False

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order."""
        try:
            number = await super().place(until, customer, key)
        except (*LOST, Undetermined):
            self._lost = True
            raise
        except asyncpg.DiskFullError:
            if self._lost:
                os._exit(3)
            raise
        self._lost = False
        return number


def ends_after_two_kinds() -> Starlette:
    """Create the kiosk with `EndsAfterTwoKinds`."""
    return kiosk(counter=EndsAfterTwoKinds)


def sound() -> Starlette:
    """Create the kiosk without a defect."""
    return kiosk()
