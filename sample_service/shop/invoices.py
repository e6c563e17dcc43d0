"""CPU-bound work, in processes of its own: the event loop only waits for it."""

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
        return ProcessPoolExecutor(self._size, mp_context=spawn, initializer=prepare)

    def start(self) -> None:
        """Begin to start the processes, so that no caller's deadline pays for that: an interpreter
        takes longer to start than an invoice to draw."""
        asyncio.get_running_loop().run_in_executor(None, self._warm, self._processes)

    def _warm(self, processes: ProcessPoolExecutor) -> None:
        with suppress(RuntimeError):  # closed or broken meanwhile: a drawing will find out
            for _ in range(self._size):  # each starts a process, as none is idle yet
                processes.submit(draw, 1, 100)

    async def draw(self, deadline: Deadline, order_id: int, total_cents: int) -> bytes:
        """The invoice as PNG. Raises `Problem` where it is not drawn in time."""
        await self._gate.enter(deadline)
        # A task of its own: whoever leaves, the drawing goes on, and holds its slot until it ends.
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
        # Also for a caller who has left, and sees it no more: the late die of their deadline.
        if not drawing.cancelled() and (error := drawing.exception()) is not None:
            log.info("an invoice was not drawn", error=str(error))

    async def _drawn(self, deadline: Deadline, order_id: int, total_cents: int) -> bytes:
        try:
            return await self._once(deadline, order_id, total_cents)
        except BrokenProcessPool:  # by an earlier drawing, or while nobody looked
            if deadline.is_over():
                raise
        return await self._once(deadline, order_id, total_cents)

    async def _once(self, deadline: Deadline, order_id: int, total_cents: int) -> bytes:
        processes = self._processes
        try:
            # In a thread: it may have to start a process, which takes milliseconds.
            work = await asyncio.to_thread(
                processes.submit, draw_in_time, deadline, order_id, total_cents
            )
            return await asyncio.wrap_future(work)
        except BrokenProcessPool:
            if processes is self._processes:  # else a neighbour has seen it first
                self.close()
                self._processes = self._new_processes()
                self.start()
            raise

    def close(self) -> None:
        """Take no more work. What is being drawn ends by its deadline at the latest."""
        self._processes.shutdown(wait=False, cancel_futures=True)
