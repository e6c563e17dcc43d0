"""Draws invoices, which is CPU-bound, in processes of their own."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress

import structlog

from sample_service.problems import INVOICE_FAILED, Problem
from sample_service.resilience.deadline import Deadline
from sample_service.resilience.gate import Gate
from sample_service.settings import Settings
from sample_service.shop.drawing import draw, draw_in_time, prepare

__all__ = ["Invoices"]

log = structlog.get_logger()


class Invoices:
    """Draws invoices, at most `invoice_workers` at once; `start` and `close` it with the service.

    A `ProcessPoolExecutor` cannot stop a running task, so a drawing process ends itself at its
    deadline. That breaks the executor for good, so it is then replaced.
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
        # Not fork, which would copy a running event loop and its sockets.
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._size, mp_context=spawn, initializer=prepare)

    def start(self) -> None:
        """Start the processes in the background, so no caller waits for that: starting an
        interpreter takes longer than drawing an invoice."""
        asyncio.get_running_loop().run_in_executor(None, self._warm, self._processes)

    def _warm(self, processes: ProcessPoolExecutor) -> None:
        with suppress(RuntimeError):  # closed or broken meanwhile; the next drawing handles it
            for _ in range(self._size):  # each starts a process, because none is idle yet
                processes.submit(draw, 1, 100)

    async def draw(self, deadline: Deadline, order_id: int, total_cents: int) -> bytes:
        """Return the invoice as PNG. Raises `Problem` if it is not drawn in time."""
        await self._gate.enter(deadline)
        # In its own task: if the caller leaves, the drawing goes on and holds its slot.
        drawing = asyncio.create_task(self._drawn(deadline, order_id, total_cents))
        drawing.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(deadline.left()):
                return await asyncio.shield(drawing)
        except TimeoutError as error:
            raise Problem(INVOICE_FAILED, "It could not be drawn in time.") from error
        except BrokenProcessPool as error:
            raise Problem(INVOICE_FAILED, "The drawing process died.") from error

    def _ended(self, drawing: asyncio.Task[bytes]) -> None:
        self._gate.leave()
        # Read the exception even if the caller has left, or asyncio would report it as unhandled.
        if not drawing.cancelled() and (error := drawing.exception()) is not None:
            log.info("an invoice was not drawn", error=str(error))

    async def _drawn(self, deadline: Deadline, order_id: int, total_cents: int) -> bytes:
        try:
            return await self._once(deadline, order_id, total_cents)
        except BrokenProcessPool:  # perhaps since an earlier drawing, so try once more
            if deadline.is_over():
                raise
        return await self._once(deadline, order_id, total_cents)

    async def _once(self, deadline: Deadline, order_id: int, total_cents: int) -> bytes:
        processes = self._processes
        try:
            # In a thread, because it may start a process, which takes milliseconds.
            work = await asyncio.to_thread(
                processes.submit, draw_in_time, deadline, order_id, total_cents
            )
            return await asyncio.wrap_future(work)
        except BrokenProcessPool:
            if processes is self._processes:  # else another drawing has already replaced it
                self.close()
                self._processes = self._new_processes()
                self.start()
            raise

    def close(self) -> None:
        """Accept no more work. A drawing in progress ends by its deadline at the latest."""
        self._processes.shutdown(wait=False, cancel_futures=True)
