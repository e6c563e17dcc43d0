"""What is noted when a script stops the service."""

from datetime import timedelta
from typing import cast

import pytest

from brownout import seconds
from brownout.faults import LockedTables, Outage
from brownout.postgres import Injection
from brownout.trial import Stage, Stopped
from brownout.trial.deployment import Redeployed
from tests.core.made import service


class Stopping:
    """A stage, its service and its injection: until SIGTERM the fault is felt by two, then by a
    third."""

    def __init__(self) -> None:
        self.declared = service()
        self.service = self
        self.running = True
        self.stopped: Stopped | None = None
        self.felt = 2

    def terminate(self) -> None:
        self.felt += 1

    async def until(self, _: object, *, within: timedelta) -> bool:
        assert within == seconds(0.25)
        return False


@pytest.mark.asyncio
async def test_what_felt_the_lock_only_after_sigterm_is_not_counted() -> None:
    stage, script = Stopping(), Redeployed(LockedTables(), Outage())
    await script._stop(cast("Stage", stage), cast("Injection", stage), seconds(0.25))
    assert stage.stopped is not None
    assert (stage.stopped.felt, stage.stopped.ended) == (2, None)
    assert stage.felt == 3
