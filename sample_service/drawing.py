"""Draws an invoice: a payment code as PNG. Imported by the drawing processes, so it is light."""

import signal
from io import BytesIO

from segno import helpers

__all__ = ["draw", "draw_in_time"]


def draw_in_time(seconds: float, order_id: int, total_cents: int) -> bytes:
    """As `draw`, but the whole process ends after so long: no code, not even C, can ignore that."""
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))  # zero would mean never
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
