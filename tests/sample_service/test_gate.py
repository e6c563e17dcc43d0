"""The bounded queue in front of what there is little of."""

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


async def test_those_who_wait_enter_in_the_order_in_which_they_came() -> None:
    gate = Gate(slots=1, queue=10)
    entered: list[int] = []

    async def visit(number: int) -> None:
        async with gate.slot(Deadline.after(LONG)):
            entered.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(visit(number) for number in range(8)))
    assert entered == list(range(8))


@pytest.mark.parametrize("kind", [POOL_EXHAUSTED, INVOICE_FAILED])
async def test_nobody_waits_beyond_the_time_given(kind: ProblemType) -> None:
    gate = Gate(slots=1, queue=10, exhausted=kind)
    async with gate.slot(Deadline.after(LONG)):
        with pytest.raises(Problem) as refused:
            async with gate.slot(Deadline.after(0.02)):
                pass
    assert refused.value.kind is kind
    assert (gate.free, gate.waiting) == (1, 0)


async def test_who_cannot_even_wait_is_refused_at_once() -> None:
    gate = Gate(slots=1, queue=0)
    async with gate.slot(Deadline.after(LONG)):
        with pytest.raises(Problem) as refused:
            async with gate.slot(Deadline.after(LONG)):
                pass
    assert refused.value.kind is OVERLOADED


async def test_a_visitor_who_is_cancelled_while_waiting_takes_no_slot() -> None:
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


async def test_a_visitor_who_gives_up_just_as_a_slot_becomes_free_is_passed_over() -> None:
    gate = Gate(slots=1, queue=10)

    async def visit() -> None:
        async with gate.slot(Deadline.after(LONG)):
            pytest.fail("it had given up")

    async with gate.slot(Deadline.after(LONG)):
        waiting = asyncio.create_task(visit())
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert (gate.free, gate.waiting) == (1, 0)
