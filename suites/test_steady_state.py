"""The control: while nothing is broken, the service meets its budget.

A service that fails here cannot be judged anywhere else.
"""

import pytest

from brownout.expectations import expect_all_succeed, expect_all_within
from brownout.service import RunningService
from brownout.trial import Probe

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("brownout_steady")]


async def test_every_operation_succeeds(
    brownout_service: RunningService, brownout_probe: Probe
) -> None:
    """Without any fault, nothing fails."""
    expect_all_succeed(await brownout_probe.each(brownout_service.declaration.operations, count=3))


async def test_every_operation_meets_the_deadline(
    brownout_service: RunningService, brownout_probe: Probe
) -> None:
    """Without any fault, nothing takes longer than D."""
    declared = brownout_service.declaration
    answers = await brownout_probe.each(declared.operations, count=3)
    expect_all_within(answers, declared.budget.request)
