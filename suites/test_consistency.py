"""Acknowledged writes survive, and none is doubled."""

import pytest

from brownout.expectations import expect_acknowledged_applied, expect_none_doubled
from brownout.service import RunningService
from brownout.trial import Probe, WriteHistories

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("brownout_steady")]


@pytest.mark.behaviour("C1")
async def test_no_acknowledged_write_is_lost(
    brownout_service: RunningService, brownout_writes: WriteHistories, brownout_probe: Probe
) -> None:
    """Writers go on while answers are lost, connections die and the server restarts."""
    for operation in brownout_service.declaration.recorded_writes():
        history = await brownout_writes.of(operation, brownout_probe)
        expect_acknowledged_applied(history.answers, history.applied)


@pytest.mark.behaviour("C3")
async def test_no_write_is_doubled(
    brownout_service: RunningService, brownout_writes: WriteHistories, brownout_probe: Probe
) -> None:
    """A write whose fate is unknown is asked for again with its key, where it has one."""
    for operation in brownout_service.declaration.recorded_writes():
        history = await brownout_writes.of(operation, brownout_probe)
        expect_none_doubled(history.answers, history.applied)
