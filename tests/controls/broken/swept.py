"""The kiosk with defects that show only if one certain step of a request fails."""

import asyncio
import sys
from contextlib import suppress
from http import HTTPStatus
from typing import Final

import asyncpg
from asyncpg.transaction import Transaction
from starlette.applications import Starlette

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import FIND, LIST, Counter
from tests.controls.kiosk.pool import Connection, OwnPool, Pool, Session
from tests.controls.kiosk.refusals import DRIVER_ERRORS, Refused, Undetermined

__all__ = [
    "burns_the_key",
    "closes_no_cursor",
    "commits_what_is_there",
    "drops_the_rest",
    "forgets_the_key",
    "forgets_to_prepare",
    "gives_up_for_good",
    "keeps_the_connection",
    "lies_the_second_time",
    "opens_one_more",
    "repeats_one_statement",
    "skips_the_rollback",
    "success_after_a_failed_commit",
    "waits_for_commit",
]

ORDER: Final = "INSERT INTO orders (customer, key) VALUES ($1, $2) RETURNING id"
RECEIPT: Final = "INSERT INTO receipts VALUES ($1)"


class TwoStatements(Counter):
    """Places the order and its receipt by two statements."""

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Do the work of the transaction; return the order's number."""
        found = await connection.fetchrow(FIND, key) if key else None
        if found is not None:
            return self.found(found["id"], found["customer"], customer)
        number: int = await connection.fetchval(ORDER, customer, key)
        await self.receipt(connection, number)
        return number

    async def receipt(self, connection: Connection, number: int) -> None:
        """Write the receipt."""
        await connection.execute(RECEIPT, number)


class KeepsTheConnection(TwoStatements):
    """Does not give a connection back on which the second statement failed."""

    async def receipt(self, connection: Connection, number: int) -> None:
        """Write the receipt; if the server refuses it, keep the connection."""
        try:
            await super().receipt(connection, number)
        except asyncpg.PostgresError:
            assert isinstance(self.pool, Keeping)
            self.pool.kept.append(connection)
            raise


class Keeping(Pool):
    """Keeps some connections."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.kept: list[Connection] = []

    async def give_back(self, connection: Connection) -> None:
        """Return the connection to the pool, unless it is kept."""
        if connection not in self.kept:
            await super().give_back(connection)


def keeps_the_connection() -> Starlette:
    """Create the kiosk with `KeepsTheConnection`."""
    return kiosk(counter=KeepsTheConnection, pool=Keeping)


class SkipsTheRollback(Counter):
    """Does not roll back after a deadlock: the server "has done so already"."""

    async def undo(self, transaction: Transaction) -> None:
        """Roll back, unless a deadlock is being handled."""
        if not isinstance(sys.exception(), asyncpg.DeadlockDetectedError):
            await super().undo(transaction)


def skips_the_rollback() -> Starlette:
    """Create the kiosk with `SkipsTheRollback`."""
    return kiosk(counter=SkipsTheRollback, pool=OwnPool)


class RepeatsOneStatement(TwoStatements):
    """Begins anew after a time-out for a lock, but only with the statement that met it."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order; return its number once COMMIT is confirmed."""
        async with self.pool.lease(until) as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                number = await self.work(connection, customer, key)
            except asyncpg.LockNotAvailableError:
                await self.undo(transaction)
                await connection.execute(RECEIPT, -int(asyncio.get_running_loop().time() * 1000))
                return 0
            except (asyncpg.PostgresError, Refused):
                await self.undo(transaction)
                raise
            await self.commit(transaction)
            return number


def repeats_one_statement() -> Starlette:
    """Create the kiosk with `RepeatsOneStatement`."""
    return kiosk(counter=RepeatsOneStatement)


class SuccessAfterAFailedCommit(Counter):
    """Takes a COMMIT that the server has answered for one that succeeded."""

    async def commit(self, transaction: Transaction) -> None:
        """Commit. Raises `Undetermined` if the reply is lost."""
        with suppress(asyncpg.PostgresError):
            await super().commit(transaction)


def success_after_a_failed_commit() -> Starlette:
    """Create the kiosk with `SuccessAfterAFailedCommit`."""
    return kiosk(counter=SuccessAfterAFailedCommit)


class ClosesNoCursor(Counter):
    """Reads by a cursor that outlives its transaction, and closes it only after a success."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last ten orders, newest first."""
        async with self.pool.lease(until) as connection:
            await connection.execute(f"DECLARE listed CURSOR WITH HOLD FOR {LIST}")
            rows = await connection.fetch("FETCH ALL FROM listed")
            await connection.execute("CLOSE listed")
            return [dict(row) for row in rows]


def closes_no_cursor() -> Starlette:
    """Create the kiosk with `ClosesNoCursor`."""
    return kiosk(counter=ClosesNoCursor)


class ForgetsToPrepare(Counter):
    """Prepares a statement once on each connection. When that is gone, it drops what is left of it,
    and does not prepare it again."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._prepared: set[int] = set()

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last ten orders, newest first."""
        async with self.pool.lease(until) as connection:
            pid = connection.get_server_pid()
            if pid not in self._prepared:
                await connection.execute(f"PREPARE listed AS {LIST}")
                self._prepared.add(pid)
            try:
                rows = await connection.fetch("EXECUTE listed")
            except asyncpg.PostgresError:
                with suppress(*DRIVER_ERRORS):
                    await connection.execute("DEALLOCATE listed")
                raise
            return [dict(row) for row in rows]


def forgets_to_prepare() -> Starlette:
    """Create the kiosk with `ForgetsToPrepare`."""
    return kiosk(counter=ForgetsToPrepare)


class Conflicted(Refused):
    """The receipt met a conflict between transactions."""


class LiesTheSecondTime(TwoStatements):
    """Tries once more after a conflict about the receipt; a second one "cannot happen"."""

    async def receipt(self, connection: Connection, number: int) -> None:
        """Write the receipt."""
        try:
            await super().receipt(connection, number)
        except asyncpg.SerializationError as error:
            raise Conflicted(HTTPStatus.SERVICE_UNAVAILABLE, "Try again.") from error

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order; return its number."""
        try:
            return await super().place(until, customer, key)
        except Conflicted:
            with suppress(Conflicted):
                return await super().place(until, customer, key)
            return 0


def lies_the_second_time() -> Starlette:
    """Create the kiosk with `LiesTheSecondTime`."""
    return kiosk(counter=LiesTheSecondTime)


class ForgetsTheKey(Counter):
    """Frees the key of a request that failed, and places what comes with it then as if it had none,
    after a look whether the customer has an order."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._freed: set[str] = set()

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, once per key as long as nothing fails."""
        try:
            return await super().place(until, customer, None if key in self._freed else key)
        except (*DRIVER_ERRORS, Undetermined):
            self._freed.add(key or "")
            raise

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Do the work of the transaction; return the order's number."""
        if key is None:
            find = "SELECT id FROM orders WHERE customer = $1"
            found: int | None = await connection.fetchval(find, customer)
            if found is not None:
                return found
            await asyncio.sleep(0.05)  # the second caller looks before the first has written
        return await super().work(connection, customer, key)


def forgets_the_key() -> Starlette:
    """Create the kiosk with `ForgetsTheKey`."""
    return kiosk(counter=ForgetsTheKey)


class BurnsTheKey(Counter):
    """Marks a key as used while its request is under way, and takes the mark away after what it
    foresees; an uncertain COMMIT is not among that."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._under_way: set[str] = set()

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, unless another request with its key is under way."""
        if key in self._under_way:
            raise Refused(HTTPStatus.CONFLICT, "The key is in use.")
        if key is not None:
            self._under_way.add(key)
        try:
            number = await super().place(until, customer, key)
        except (*DRIVER_ERRORS, Refused):
            self._under_way.discard(key or "")
            raise
        self._under_way.discard(key or "")
        return number


def burns_the_key() -> Starlette:
    """Create the kiosk with `BurnsTheKey`."""
    return kiosk(counter=BurnsTheKey)


class CommitsWhatIsThere(TwoStatements):
    """Commits the order if only its receipt could not be written for lack of memory, and tells the
    caller to try again."""

    async def receipt(self, connection: Connection, number: int) -> None:
        """Write the receipt, in a savepoint."""
        try:
            async with connection.transaction():
                await super().receipt(connection, number)
        except asyncpg.OutOfMemoryError as error:
            await connection.execute("COMMIT")
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Try again.") from error


def commits_what_is_there() -> Starlette:
    """Create the kiosk with `CommitsWhatIsThere`."""
    return kiosk(counter=CommitsWhatIsThere)


class DropsTheRest(TwoStatements):
    """Commits the order alone if the server is out of memory for its receipt, and acknowledges."""

    async def receipt(self, connection: Connection, number: int) -> None:
        """Write the receipt, in a savepoint."""
        with suppress(asyncpg.OutOfMemoryError):
            async with connection.transaction():
                await super().receipt(connection, number)


def drops_the_rest() -> Starlette:
    """Create the kiosk with `DropsTheRest`."""
    return kiosk(counter=DropsTheRest)


class WaitsForCommit(Counter):
    """Gives COMMIT all the time that it takes."""

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order; return its number once COMMIT is confirmed."""
        async with self.pool.place(until):
            connection = await self.pool.connection(until)
            transaction = connection.transaction()
            try:
                async with self.pool.clock(connection, until):
                    await transaction.start()
                    try:
                        number = await self.work(connection, customer, key)
                    except (asyncpg.PostgresError, Refused):
                        await self.undo(transaction)
                        raise
                await self.commit(transaction)
            finally:
                await self.pool.give_back(connection)
            return number


def waits_for_commit() -> Starlette:
    """Create the kiosk with `WaitsForCommit`."""
    return kiosk(counter=WaitsForCommit)


class GivesUpForGood(Counter):
    """Takes a time-out of its transaction for a wrong setting, and serves nothing any more."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._given_up = False

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, until the server has ended a transaction that was idle."""
        if self._given_up:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The database is set up wrongly.")
        try:
            return await super().place(until, customer, key)
        except (*DRIVER_ERRORS, Undetermined) as error:
            cause: BaseException | None = error
            while cause is not None:
                if isinstance(cause, asyncpg.IdleInTransactionSessionTimeoutError):
                    self._given_up = True
                cause = cause.__cause__
            raise


def gives_up_for_good() -> Starlette:
    """Create the kiosk with `GivesUpForGood`."""
    return kiosk(counter=GivesUpForGood)


class OpensOneMore(Pool):
    """Opens a connection beside the pool whenever one was lost at work, and keeps it in reserve."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self._reserve: list[Session] = []

    async def give_back(self, connection: Connection) -> None:
        """Return the connection to the pool; if it is dead, open another."""
        try:
            lost = connection.is_closed()
        except asyncpg.InterfaceError:  # asyncpg's pool has taken it back by itself
            lost = True
        if lost:
            self._reserve += [await asyncpg.connect(self._dsn) for _ in range(self.size)]
        await super().give_back(connection)


def opens_one_more() -> Starlette:
    """Create the kiosk with `OpensOneMore`."""
    return kiosk(pool=OpensOneMore)
