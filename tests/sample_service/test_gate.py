"""The bounded queue in front of a scarce resource."""

import asyncio

import pytest

from sample_service.problems import (
    INVOICE_FAILED,
    OVERLOADED,
    POOL_EXHAUSTED,
    Problem,
    ProblemType,
)
from sample_service.resilience.deadline import Deadline
from sample_service.resilience.gate import Gate

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONG = 60.0


async def test_waiting_tasks_enter_in_the_order_of_their_arrival() -> None:
    gate = Gate(slots=1, queue=10)
    entered: list[int] = []

    async def visit(number: int) -> None:
        async with gate.slot(Deadline.after(LONG)):
            entered.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(visit(number) for number in range(8)))
    assert entered == list(range(8))


@pytest.mark.parametrize("kind", [POOL_EXHAUSTED, INVOICE_FAILED])
async def test_a_task_does_not_wait_beyond_its_deadline(kind: ProblemType) -> None:
    gate = Gate(slots=1, queue=10, exhausted=kind)
    async with gate.slot(Deadline.after(LONG)):
        with pytest.raises(Problem) as refused:
            async with gate.slot(Deadline.after(0.02)):
                pass
    assert refused.value.kind is kind
    assert (gate.free, gate.waiting) == (1, 0)


async def test_a_task_is_refused_immediately_if_the_queue_is_full() -> None:
    gate = Gate(slots=1, queue=0)
    async with gate.slot(Deadline.after(LONG)):
        with pytest.raises(Problem) as refused:
            async with gate.slot(Deadline.after(LONG)):
                pass
    assert refused.value.kind is OVERLOADED


async def test_a_task_that_is_cancelled_while_waiting_takes_no_slot() -> None:
    gate = Gate(slots=1, queue=10)

    async def visit() -> None:
        async with gate.slot(Deadline.after(LONG)):
            pass

    async with gate.slot(Deadline.after(LONG)):
        waiting = asyncio.create_task(visit())
        await asyncio.sleep(0)
        assert gate.waiting == 1
        waiting.cancel()
        await asyncio.wait([waiting])
    assert (gate.free, gate.waiting) == (1, 0)
    await visit()


async def test_a_task_that_gives_up_just_as_a_slot_becomes_free_is_skipped() -> None:
    gate = Gate(slots=1, queue=10)

    async def visit() -> None:
        async with gate.slot(Deadline.after(LONG)):
            pytest.fail("The cancelled task entered.")

    async with gate.slot(Deadline.after(LONG)):
        waiting = asyncio.create_task(visit())
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert (gate.free, gate.waiting) == (1, 0)
