"""The kiosk, not well to begin with."""

import asyncio

from starlette.applications import Starlette

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.settings import DEADLINE

__all__ = ["slow_without_a_fault"]


class SlowWithoutAFault(Counter):
    """Takes longer than it promised, always."""

    async def orders(self, until: float) -> list[dict[str, object]]:
        """The last orders, late."""
        found = await super().orders(until)
        await asyncio.sleep(DEADLINE * 1.2)
        return found


def slow_without_a_fault() -> Starlette:
    """See `SlowWithoutAFault`."""
    return kiosk(counter=SlowWithoutAFault)
