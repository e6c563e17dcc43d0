"""What a sweep sees of a case is compared to what the service does without any fault, just then."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from brownout.trial import Stage
from brownout.trial.sweep.breaks import BREAKS
from brownout.trial.sweep.cases import SweepCase
from brownout.trial.sweep.conversation import Conversation, Step
from brownout.trial.sweep.running import Look, Places, Runner
from brownout.trial.sweep.seen import CaseTry, SweptCase
from brownout.units import seconds
from tests.core.made import READ, WRITE, answer, service
from tests.core.sweep_controls import tried

HEALTHY = 5
STEPS = tuple(Step(one.name, "select t", "select 1 from t", "1 from t") for one in (READ, WRITE))
CONVERSATIONS = {step.operation: Conversation(step.operation, (step,)) for step in STEPS}
CASES = [SweepCase(step, way) for way in BREAKS[:3] for step in STEPS]
TRY = tried(together=(), places=0, healthy=0, sessions=0)
DOUBTFUL = replace(TRY, answer=answer(503, elapsed=seconds(3)))
MISSED = replace(TRY, met=False)


class Looked(Runner):
    """Finds so many places at each of its looks, of five; its tries are `tries`, and then TRY."""

    def __init__(self, *counts: int, tries: Sequence[CaseTry] = ()) -> None:
        self.did: list[str] = []
        self.process = SimpleNamespace(running=True, restart=lambda: self.did.append("start"))
        stage = cast("Stage", SimpleNamespace(declared=service(), service=self.process))
        super().__init__(stage, cast("Any", None), cast("Any", None), set())
        self._counts = list(counts)
        self._tries = list(tries)

    async def warm(self, *_: object) -> None:
        """Nothing is cold here."""

    async def places(self, *_: object, **__: object) -> Places:
        """The next look."""
        return Places(self._counts.pop(0), (answer(200),) * HEALTHY)

    async def _look(self, conversation: Conversation, **_: object) -> Look:
        self.did.append(f"look {conversation.operation}")
        count = self._counts.pop(0) if self._counts else HEALTHY
        return Look(Places(count, (answer(200),) * HEALTHY), HEALTHY, 4)

    async def _try(self, case: SweepCase) -> CaseTry:
        self.did.append(f"try {case.step.operation}")
        return self._tries.pop(0) if self._tries else TRY

    def swept(self, cases: Sequence[SweepCase], until: float = math.inf) -> list[SweptCase]:
        """Run these cases."""
        return asyncio.run(self.run(cases, CONVERSATIONS, until))


@pytest.mark.parametrize(("fresh", "expected"), [(5, 5), (4, 4), (0, 0), (6, 5)])
def test_a_place_is_missing_only_if_a_service_that_was_just_started_has_it(
    fresh: int, expected: int
) -> None:
    """A machine that is too busy for all requests to come in time is too busy then as well."""
    runner = Looked(4, fresh, 4, fresh)
    [case] = runner.swept(CASES[:1])
    assert [one.healthy for one in case.tries] == [expected] * 2
    assert runner.did.count("start") == runner.damaged == 2


def test_a_place_that_the_service_s_own_work_took_is_not_expected() -> None:
    """Such as a snapshot that it takes each second by the same statement."""
    runner = Looked(5, 4, 5)
    asyncio.run(runner.learn_places(READ, STEPS[0]))
    assert runner.healthy == {READ.name: 4}


def test_cases_that_show_nothing_share_a_look_for_each_of_their_operations() -> None:
    runner = Looked()
    swept = runner.swept(CASES[:4])
    assert runner.did == ["try list", "try place"] * 2 + ["look list", "look place"]
    assert [case.name for case in swept] == [case.name for case in CASES[:4]]
    assert [(one.places, one.healthy, one.sessions) for case in swept for one in case.tries] == [
        (5, 5, 4)
    ] * 4


def test_what_a_shared_look_finds_missing_is_found_again_by_looks_of_their_own() -> None:
    """Each of the cases may be to blame, so none of them counts before."""
    runner = Looked(5, 4)
    assert runner.swept(CASES[:4]) == []
    assert runner.did[4:] == ["look list", "look place", "start"]
    assert runner.damaged == 0
    runner.did.clear()
    [case] = runner.swept(CASES[:4])
    assert (case.name, runner.did) == (CASES[0].name, ["try list", "look list"])


def test_a_service_that_does_not_recover_in_a_row_of_cases_is_not_looked_at() -> None:
    unrecovered = replace(TRY, following=(answer(503),), recovered=False)
    runner = Looked(tries=[TRY, unrecovered])
    assert runner.swept(CASES) == []
    assert runner.did == ["try list", "try place", "start"]


@pytest.mark.parametrize("first", [DOUBTFUL, MISSED])
def test_the_first_case_that_shows_anything_is_the_last_before_the_look(first: CaseTry) -> None:
    """It has a second try of its own; those before it do not."""
    runner = Looked(tries=[TRY, first])
    swept = runner.swept(CASES)
    assert [len(case.tries) for case in swept] == [1, 2]
    assert runner.did == [
        *("try list", "try place", "look list", "look place"),
        *("try place", "look place"),
    ]


def test_no_case_begins_when_the_time_is_over() -> None:
    assert len(Looked().swept(CASES, until=0.0)) == 1


def test_what_was_tried_before_the_process_ended_is_kept() -> None:
    class Ends(Looked):
        async def _try(self, case: SweepCase) -> CaseTry:
            seen = await super()._try(case)
            self.process.running = len(self.did) < 3
            return seen

    runner = Ends()
    assert [case.name for case in runner.swept(CASES)] == [case.name for case in CASES[:3]]
    assert runner.did == ["try list", "try place", "try list"]
