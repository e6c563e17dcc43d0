"""Drawing in processes of their own, which may be slow, die, or be killed."""

import signal
from collections.abc import Callable

import psutil
import pytest
from pydantic import SecretStr

from sample_service import invoices as module
from sample_service.deadline import Deadline
from sample_service.drawing import draw_in_time
from sample_service.invoices import Invoices
from sample_service.problems import INVOICE_FAILED, Problem
from sample_service.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="session")

AMPLE = 20.0
"""Seconds: to start an interpreter on a busy machine."""


def forever(seconds: float, *_: int) -> bytes:
    """Draws for ever, and minds its time as the real one does."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    while True:
        pass


@pytest.fixture
def drawings() -> Invoices:
    return Invoices(Settings(database_url=SecretStr("postgresql://x@x/x")))


def drawing_processes() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


async def test_killed_drawing_processes_cost_no_drawing(drawings: Invoices) -> None:
    first = await drawings.draw(Deadline.after(AMPLE), 1, 590)
    for _ in range(3):
        for process in drawing_processes():
            process.kill()
        assert await drawings.draw(Deadline.after(AMPLE), 1, 590) == first
    drawings.close()


async def test_a_drawing_that_takes_too_long_ends_and_the_next_one_is_drawn(
    drawings: Invoices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced(by: Callable[..., bytes]) -> None:
        monkeypatch.setattr(module, "draw_in_time", by)

    await drawings.draw(Deadline.after(AMPLE), 1, 590)
    replaced(forever)
    with pytest.raises(Problem) as late:
        await drawings.draw(Deadline.after(0.2), 1, 590)
    assert late.value.kind is INVOICE_FAILED
    replaced(draw_in_time)
    assert (await drawings.draw(Deadline.after(AMPLE), 1, 590)).startswith(b"\x89PNG")
    drawings.close()
