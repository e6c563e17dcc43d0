"""CPU-bound work, in processes of its own: the event loop only waits for it."""

import asyncio
import multiprocessing
from concurrent.futures.process import BrokenProcessPool

from pebble import ProcessExpired, ProcessPool

from sample_service.deadline import Deadline
from sample_service.drawing import draw
from sample_service.gate import Gate
from sample_service.problems import INVOICE_FAILED, Problem
from sample_service.settings import Settings

__all__ = ["Invoices"]


class Invoices:
    """Draws invoices, at most `invoice_workers` at once.

    pebble, since it ends a process that is past its time; the standard library's pool lets it run
    on. Both break for good when a process is killed while it is idle: then there is a new pool.
    """

    def __init__(self, settings: Settings) -> None:
        self._size = settings.invoice_workers
        self._gate = Gate(slots=settings.invoice_workers, queue=settings.invoice_queue)
        self._processes = self._new_processes()

    def _new_processes(self) -> ProcessPool:
        # Not by fork: a copy of a running event loop and its sockets helps nobody.
        return ProcessPool(max_workers=self._size, context=multiprocessing.get_context("spawn"))

    async def draw(self, deadline: Deadline, order_id: int, total_cents: int) -> bytes:
        """The invoice as PNG. Raises `Problem` where it is not drawn in time."""
        async with self._gate.slot(deadline):
            try:
                return await self._drawn(deadline, order_id, total_cents)
            except BrokenProcessPool:
                self.close()
                self._processes = self._new_processes()
            return await self._drawn(deadline, order_id, total_cents)

    async def _drawn(self, deadline: Deadline, order_id: int, total_cents: int) -> bytes:
        work = self._processes.schedule(draw, args=[order_id, total_cents], timeout=deadline.left())
        try:
            return await asyncio.wrap_future(work)
        except TimeoutError as error:
            raise Problem(INVOICE_FAILED, "It could not be drawn in time.") from error
        except ProcessExpired as error:
            raise Problem(INVOICE_FAILED, "The drawing process died.") from error

    def close(self) -> None:
        """End the drawing processes, and whatever they still draw."""
        self._processes.stop()  # type: ignore[no-untyped-call]
        self._processes.join()
