"""The kiosk without a steady state."""

import asyncio

from starlette.applications import Starlette

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.settings import DEADLINE

__all__ = ["slow_without_a_fault"]


class SlowWithoutAFault(Counter):
    """Always takes longer than D."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """Return the last orders too late."""
        found = await super().orders(until)
        await asyncio.sleep(DEADLINE * 1.2)
        return found


def slow_without_a_fault() -> Starlette:
    """Create the kiosk with `SlowWithoutAFault`."""
    return kiosk(counter=SlowWithoutAFault)
