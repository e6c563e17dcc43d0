"""What a sweep sees of a case is compared to what the service does without any fault, just then."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from brownout.trial import Stage
from brownout.trial.sweep.breaks import BREAKS
from brownout.trial.sweep.cases import SweepCase
from brownout.trial.sweep.conversation import Conversation, Step
from brownout.trial.sweep.running import Places, Runner
from brownout.trial.sweep.seen import CaseTry
from tests.core.made import READ, answer, service
from tests.core.sweep_controls import tried

HEALTHY = 5


class Looked(Runner):
    """Finds so many places at each of its looks; right after the fault one of five is missing."""

    def __init__(self, *counts: int) -> None:
        self.started = 0
        running = SimpleNamespace(running=True, restart=self._start)
        stage = cast("Stage", SimpleNamespace(declared=service(), service=running))
        super().__init__(stage, cast("Any", None), cast("Any", None), set())
        self._counts = list(counts)

    def _start(self) -> None:
        self.started += 1

    async def warm(self, *_: object) -> None:
        """Nothing is cold here."""

    async def places(self, *_: object, **__: object) -> Places:
        """The next look."""
        return Places(self._counts.pop(0), (answer(200),) * HEALTHY)

    async def _try(self, *_: object) -> CaseTry:
        return tried(places=HEALTHY - 1, healthy=HEALTHY)


STEP = Step(READ.name, "select t", "select 1 from t", "select 1 from t")


@pytest.mark.parametrize(("fresh", "expected"), [(5, 5), (4, 4), (0, 0), (6, 5)])
def test_a_place_is_missing_only_if_a_service_that_was_just_started_has_it(
    fresh: int, expected: int
) -> None:
    """A machine that is too busy for all requests to come in time is too busy then as well."""
    runner = Looked(fresh, fresh)
    conversations = {READ.name: Conversation(READ.name, (STEP,))}
    swept = asyncio.run(runner.run(SweepCase(STEP, BREAKS[0]), conversations))
    assert [one.healthy for one in swept.tries] == [expected] * 2
    assert runner.started == 2


def test_a_place_that_the_service_s_own_work_took_is_not_expected() -> None:
    """Such as a snapshot that it takes each second by the same statement."""
    runner = Looked(5, 4, 5)
    asyncio.run(runner.learn_places(READ, STEP))
    assert runner.healthy == {READ.name: 4}
