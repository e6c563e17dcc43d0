"""Invoices are drawn in processes that may be slow, die, or be killed."""

import asyncio
import gc
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from sample_service.problems import INVOICE_FAILED, OVERLOADED, Problem
from sample_service.resilience.deadline import Deadline
from sample_service.settings import Settings
from sample_service.shop import invoices as module
from sample_service.shop.drawing import draw_in_time
from sample_service.shop.invoices import Invoices
from tests.sample_service.shop import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

AMPLE = 20.0
"""Seconds, enough to start an interpreter on a busy machine."""


def forever(deadline: Deadline, *_: int) -> bytes:
    """Draw for ever, with the same timer as the real function."""
    signal.setitimer(signal.ITIMER_REAL, max(deadline.left(), 0.001))
    while True:
        pass


def until_told(begun: Path, ended: Path, *_: object) -> bytes:
    """Draw until the file `ended` exists."""
    begun.touch()
    while not ended.exists():
        time.sleep(0.01)
    return b"told"


@pytest.fixture
def drawings() -> Invoices:
    return Invoices(Settings(database_url=SecretStr("postgresql://x@x/x"), invoice_queue=0))


def drawing_processes() -> set[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return {child for child in children if "spawn_main" in " ".join(child.cmdline())}


async def test_no_drawing_waits_for_a_process_to_start(drawings: Invoices) -> None:
    of_others = drawing_processes()
    drawings.start()

    async def started() -> bool:
        return bool(drawing_processes() - of_others)

    await until(started, within=AMPLE)
    ready = drawing_processes() - of_others
    await drawings.draw(Deadline.after(AMPLE), 1, 590)
    assert drawing_processes() - of_others == ready
    drawings.close()


async def test_a_drawing_survives_the_kill_of_idle_drawing_processes(drawings: Invoices) -> None:
    first = await drawings.draw(Deadline.after(AMPLE), 1, 590)
    for _ in range(3):
        for process in drawing_processes():
            process.kill()
        assert await drawings.draw(Deadline.after(AMPLE), 1, 590) == first
    drawings.close()


async def test_a_late_drawing_ends_and_the_next_one_is_drawn(
    drawings: Invoices, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def replaced(by: Callable[..., bytes]) -> None:
        monkeypatch.setattr(module, "draw_in_time", by)

    await drawings.draw(Deadline.after(AMPLE), 1, 590)
    replaced(forever)
    with pytest.raises(Problem) as late:
        await drawings.draw(Deadline.after(0.2), 1, 590)
    assert late.value.kind is INVOICE_FAILED
    replaced(draw_in_time)
    drawn = b""

    async def drawn_again() -> bool:
        nonlocal drawn
        with suppress(Problem):  # overloaded until the late drawing's process has ended
            drawn = await drawings.draw(Deadline.after(AMPLE), 1, 590)
        return bool(drawn)

    await until(drawn_again, within=AMPLE)
    assert drawn.startswith(b"\x89PNG")
    drawings.close()
    gc.collect()
    # The service read the late drawing's exception, although its caller had left.
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_a_drawing_whose_caller_left_holds_its_slot_until_it_ends(
    drawings: Invoices, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    monkeypatch.setattr(module, "draw_in_time", partial(until_told, begun, ended))
    left = asyncio.create_task(drawings.draw(Deadline.after(AMPLE), 1, 590))

    async def drawing() -> bool:
        return begun.exists()

    await until(drawing, within=AMPLE)
    left.cancel()
    await asyncio.wait([left])
    with pytest.raises(Problem) as refused:
        await drawings.draw(Deadline.after(AMPLE), 2, 590)
    assert refused.value.kind is OVERLOADED
    ended.touch()

    async def free() -> bool:
        with suppress(Problem):
            return await drawings.draw(Deadline.after(AMPLE), 2, 590) == b"told"
        return False

    await until(free, within=AMPLE)
    drawings.close()
