"""CPU-bound work, in processes of its own: the event loop only waits for it."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from sample_service.deadline import Deadline
from sample_service.drawing import draw_in_time
from sample_service.gate import Gate
from sample_service.problems import INVOICE_FAILED, Problem
from sample_service.settings import Settings

__all__ = ["Invoices"]


class Invoices:
    """Draws invoices, at most `invoice_workers` at once.

    A pool cannot stop a task that it runs, so a drawing process ends itself at the deadline; and a
    pool of which one process ended is broken for good, so then there is a new one.
    """

    def __init__(self, settings: Settings) -> None:
        self._size = settings.invoice_workers
        self._gate = Gate(
            slots=settings.invoice_workers,
            queue=settings.invoice_queue,
            exhausted=INVOICE_FAILED,
        )
        self._processes = self._new_processes()

    def _new_processes(self) -> ProcessPoolExecutor:
        # Not by fork: a copy of a running event loop and its sockets helps nobody.
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(max_workers=self._size, mp_context=spawn)

    async def draw(self, deadline: Deadline, order_id: int, total_cents: int) -> bytes:
        """The invoice as PNG. Raises `Problem` where it is not drawn in time."""
        async with self._gate.slot(deadline):
            try:
                return await self._drawn(deadline, order_id, total_cents)
            except BrokenProcessPool:  # by an earlier drawing, or while nobody looked
                pass
            try:
                return await self._drawn(deadline, order_id, total_cents)
            except BrokenProcessPool as error:
                raise Problem(INVOICE_FAILED, "The drawing process died.") from error

    async def _drawn(self, deadline: Deadline, order_id: int, total_cents: int) -> bytes:
        processes = self._processes
        left = deadline.left()
        try:
            async with asyncio.timeout(left):
                work = processes.submit(draw_in_time, left, order_id, total_cents)
                return await asyncio.wrap_future(work)
        except TimeoutError as error:
            raise Problem(INVOICE_FAILED, "It could not be drawn in time.") from error
        except BrokenProcessPool:
            if processes is self._processes:  # else a neighbour has seen it first
                self.close()
                self._processes = self._new_processes()
            raise

    def close(self) -> None:
        """Take no more work. What is being drawn ends by its deadline at the latest."""
        self._processes.shutdown(wait=False, cancel_futures=True)
