"""The kiosk without what it declares."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.controls.broken.bundle import bundle
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.board import Board
from tests.controls.kiosk.counter import LIST, Counter
from tests.controls.kiosk.front import Front, computed
from tests.controls.kiosk.pool import Connection, Pool, Session
from tests.controls.kiosk.refusals import Refused
from tests.controls.kiosk.settings import WORK

__all__ = [
    "broken_declaration_bundle",
    "deaf_and_streaming_bundle",
    "keys_in_memory",
    "notes_missed",
    "separate_receipts_bundle",
]


class OldOrderForAUsedKey(Counter):
    """Answers any request with the order that has its key."""

    def found(self, number: int, placed_for: str, customer: str) -> int:
        """Return the old order's number."""
        return number


class KeysInMemory(Counter):
    """Keeps the keys in its process."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._placed: dict[str, tuple[int, str]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, or find the one that this process has placed with the key."""
        if key is None:
            return await super().place(until, customer, None)
        async with self._one_at_a_time:
            if key in self._placed:
                return self.found(*self._placed[key], customer)
            number = await super().place(until, customer, None)
            self._placed[key] = number, customer
            return number


def keys_in_memory() -> Starlette:
    """Create the kiosk with `KeysInMemory`."""
    return kiosk(counter=KeysInMemory)


class OwnDeadlineOnly(Front):
    """Does not read the caller's deadline."""

    def deadline(self, request: Request) -> float:
        """Return the same for all callers."""
        return asyncio.get_running_loop().time() + WORK


class ComputesInTheLoop(Front):
    """Computes where all other requests wait."""

    async def digest(self, request: Request) -> Response:
        """Return the digest."""
        return JSONResponse({"digest": computed()})


def broken_declaration_bundle() -> Starlette:
    """Create the kiosk with three independent defects."""
    return kiosk(counter=OldOrderForAUsedKey, front=bundle(OwnDeadlineOnly, ComputesInTheLoop))


class ReceiptAfterwards(Counter):
    """Writes the receipt in a transaction of its own."""

    async def work(self, connection: Connection, customer: str, key: str | None) -> int:
        """Place an order, without its receipt."""
        number = await super().work(connection, customer, key)
        await connection.execute("DELETE FROM receipts WHERE order_id = $1", number)
        return number

    async def place(self, until: float, customer: str, key: str | None) -> int:
        """Place an order, and then write its receipt."""
        number = await super().place(until, customer, key)
        async with self.pool.lease(until) as connection:
            await connection.execute(
                "INSERT INTO receipts VALUES ($1) ON CONFLICT DO NOTHING", number
            )
        return number


class OneOriginForAll(Front):
    """Names itself as the origin of each error."""

    def origin(self, refused: Refused) -> str:
        """Return the same for all."""
        return "kiosk"


def separate_receipts_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(counter=ReceiptAfterwards, front=OneOriginForAll, board=Board)


class ListensOnce(Board):
    """Ends with its first connection."""

    async def run(self) -> None:
        """Follow the notes on one connection."""
        await self.follow()


class StreamsOnALease(Front):
    """Keeps a connection for each stream, for as long as it lasts."""

    async def stream(self, request: Request) -> Response:
        """Send the last orders, and then nothing more."""
        lease = self.counter.pool.lease(asyncio.get_running_loop().time() + 3600)
        connection = await lease.__aenter__()
        orders = [dict(row) for row in await connection.fetch(LIST)]

        async def events() -> AsyncIterator[str]:
            try:
                async for event in self.events(orders):
                    yield event
            finally:
                await lease.__aexit__(None, None, None)

        return StreamingResponse(events(), media_type="text/event-stream")


def deaf_and_streaming_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(front=StreamsOnALease, board=ListensOnce)


class HearsOnly(Board):
    """Adds what it hears to what it has, and never reads again: it misses what was noted while it
    did not listen."""

    async def read(self, connection: Session) -> None:
        """Read once; later ask only whether the connection still works."""
        if not self.notes:
            await super().read(connection)
        else:
            await connection.execute("SELECT 1", timeout=WORK)

    async def heard(self, connection: Session, note: str | None) -> None:
        """Add the note."""
        if note is not None:
            self.notes = [note, *self.notes[:9]]
        await self.read(connection)


def notes_missed() -> Starlette:
    """Create the kiosk with this defect."""
    return kiosk(board=HearsOnly)
