"""CPU-bound work, in processes of its own: the event loop only waits for it."""

import asyncio
import multiprocessing

from pebble import ProcessExpired, ProcessPool

from sample_service.deadline import Deadline
from sample_service.drawing import draw
from sample_service.gate import Gate
from sample_service.problems import INVOICE_FAILED, Problem
from sample_service.settings import Settings

__all__ = ["Invoices"]


class Invoices:
    """Draws invoices, at most `invoice_workers` at once.

    pebble, since it stops a process that is past its time and replaces one that died. The standard
    library's pool can do neither: its tasks run on, and one dead process breaks the pool for good.
    """

    def __init__(self, settings: Settings) -> None:
        self._gate = Gate(slots=settings.invoice_workers, queue=settings.invoice_queue)
        # Not by fork: a copy of a running event loop and its sockets helps nobody.
        self._processes = ProcessPool(
            max_workers=settings.invoice_workers, context=multiprocessing.get_context("spawn")
        )

    async def draw(self, deadline: Deadline, order_id: int, total_cents: int) -> bytes:
        """The invoice as PNG. Raises `Problem` where it is not drawn in time."""
        async with self._gate.slot(deadline):
            work = self._processes.schedule(
                draw, args=[order_id, total_cents], timeout=deadline.left()
            )
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
