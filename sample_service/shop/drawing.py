"""Draws an invoice, a payment code as PNG. The drawing processes import it, so it is small."""

import multiprocessing
import os
import signal
import threading
from io import BytesIO

from segno import helpers

from sample_service.resilience.deadline import Deadline

__all__ = ["draw", "draw_in_time", "prepare"]


def prepare() -> None:
    """Tie this process to the service's.

    It waits for work on a pipe whose other end it holds itself, so it would not notice that the
    service was killed. It ignores Ctrl-C, because the service decides when to stop.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_service, daemon=True).start()


def _end_with_service() -> None:
    service = multiprocessing.parent_process()
    assert service is not None  # noqa: S101 - for the type checker
    service.join()
    os._exit(1)


def draw_in_time(deadline: Deadline, order_id: int, total_cents: int) -> bytes:
    """Like `draw`, but the process ends at the deadline, even while it runs C code. A deadline
    means the same in every process, because the monotonic clock is system-wide."""
    signal.setitimer(signal.ITIMER_REAL, max(deadline.left(), 0.001))  # zero would mean never
    try:
        return draw(order_id, total_cents)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def draw(order_id: int, total_cents: int) -> bytes:
    """Draw a European payment code (EPC 069-12) for the order's total: about 10 ms of CPU time."""
    code = helpers.make_epc_qr(
        name="The Shop",
        iban="DE89370400440532013000",  # the example of the IBAN registry
        amount=total_cents / 100,
        text=f"Order {order_id}",
    )
    image = BytesIO()
    code.save(image, kind="png", scale=10)
    return image.getvalue()
