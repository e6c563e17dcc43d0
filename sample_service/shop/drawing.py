"""Draws an invoice: a payment code as PNG. Imported by the drawing processes, so it is light."""

import multiprocessing
import os
import signal
import threading
from io import BytesIO

from segno import helpers

from sample_service.resilience.deadline import Deadline

__all__ = ["draw", "draw_in_time", "prepare"]


def prepare() -> None:
    """Make this process one that lives and ends with the service's: a drawing process waits for
    work on a pipe whose other end it holds itself, so it would not notice a service that was
    killed. Ctrl-C reaches it too, but it is the service that decides when to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_service, daemon=True).start()


def _end_with_service() -> None:
    service = multiprocessing.parent_process()
    assert service is not None  # noqa: S101 - for the type checker
    service.join()
    os._exit(1)


def draw_in_time(deadline: Deadline, order_id: int, total_cents: int) -> bytes:
    """As `draw`, but the whole process ends at the deadline: no code, not even C, can ignore that.
    A deadline means the same in every process, since the monotonic clock is the system's."""
    signal.setitimer(signal.ITIMER_REAL, max(deadline.left(), 0.001))  # zero would mean never
    try:
        return draw(order_id, total_cents)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def draw(order_id: int, total_cents: int) -> bytes:
    """A European payment code (EPC 069-12) that asks for the order's total; some 10 ms of CPU."""
    code = helpers.make_epc_qr(
        name="The Shop",
        iban="DE89370400440532013000",  # the example of the IBAN registry
        amount=total_cents / 100,
        text=f"Order {order_id}",
    )
    image = BytesIO()
    code.save(image, kind="png", scale=10)
    return image.getvalue()
