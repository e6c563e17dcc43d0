"""The search finds schedules that break a promise, and makes them small; on a model of a service,
so that neither the machine nor its speed matters."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from brownout.chaos import Search, search
from brownout.errors import NotAssessable
from brownout.faults import (
    ChangedSchema,
    CommitNeverArrives,
    Fault,
    Freeze,
    Latency,
    LostCommitReply,
    Restart,
    ServerError,
    TerminatedBackends,
)
from brownout.observations import Recovery
from brownout.trial import Ask, Break, Heal, Stage
from brownout.trial.chaos.seen import Chaos, ScheduleTry
from brownout.trial.chaos.steps import Step
from brownout.units import ms, seconds
from tests.core.made import WRITE, answer, service

DECLARED = service()
Model = Callable[[list[Fault]], dict[str, Any]]


def conflicts(fault: Fault) -> bool:
    return isinstance(fault, ServerError) and fault.sqlstate.startswith("40")


def loses_commits(fault: Fault) -> bool:
    return isinstance(fault, LostCommitReply | CommitNeverArrives)


def sound(_: list[Fault]) -> dict[str, Any]:
    """Nothing is ever wrong."""
    return {}


def loses_a_write(met: list[Fault]) -> dict[str, Any]:
    """A write is lost where a conflict and a lost COMMIT meet it."""
    if any(map(conflicts, met)) and any(map(loses_commits, met)):
        return {"applied": {"a": 0}}
    return {}


def loses_one_of_three(met: list[Fault]) -> dict[str, Any]:
    """A write is lost only where a restart meets it as well, which no pair of faults shows."""
    return loses_a_write(met) if any(isinstance(one, Restart) for one in met) else {}


def comes_back_late(met: list[Fault]) -> dict[str, Any]:
    """It is not steady after a restart of the server."""
    late = any(isinstance(one, Restart) for one in met)
    return {"recovery": Recovery(False, seconds(3), ())} if late else {}


class World:
    """A service by a model, and a clock that moves by half a second with each schedule."""

    def __init__(self, model: Model, *, lacking: Iterable[type[Fault]] = ()) -> None:
        self.model = model
        self.now = 0.0
        self.ran: list[tuple[Step, ...]] = []
        self.stage = cast(
            "Stage",
            SimpleNamespace(
                declared=DECLARED,
                postgres=SimpleNamespace(
                    lacks=lambda fault: "not here" if type(fault) in tuple(lacking) else None
                ),
                answers=[],
                chaos=None,
            ),
        )

    async def once(self, _: Stage, steps: tuple[Step, ...]) -> ScheduleTry:
        """As `try_schedule`."""
        self.now += 0.5
        self.ran.append(steps)
        met: list[Fault] = []
        in_force: list[Fault] = []
        for step in steps:
            match step:
                case Break(fault):
                    in_force.append(fault)
                case Heal():
                    in_force.clear()
                case Ask("place", _):
                    met += in_force
                case _:
                    pass
        whole: dict[str, Any] = {
            "answers": (answer(201, token="a", operation=WRITE),),  # noqa: S106
            "applied": {"a": 1},
            "again": (),
            "applied_again": {},
            "invariants": {},
            "recovery": Recovery(True, ms(10), ()),
        }
        return ScheduleTry(**{**whole, **self.model(met)})


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Chaos]:
    def run(world: World, **limits: Any) -> Chaos:
        monkeypatch.setattr(search, "try_schedule", world.once)
        monkeypatch.setattr(search, "_MOST_FOUND", 1)
        monkeypatch.setattr(search, "time", SimpleNamespace(monotonic=lambda: world.now))
        asyncio.run(Search(**{"lasting": seconds(300), **limits}).run(world.stage))
        assert world.stage.chaos is not None
        return world.stage.chaos

    return run


def breaks(steps: Iterable[Step]) -> list[Fault]:
    return [one.fault for one in steps if isinstance(one, Break)]


@pytest.mark.parametrize("seed", range(1, 4))
def test_two_faults_that_must_meet_are_found_and_nothing_else_is_left(
    searched: Callable[..., Chaos], seed: int
) -> None:
    found = searched(World(loses_a_write), seed=seed).found
    assert set(found) == {"C1"}
    smallest = found["C1"]
    assert len(smallest.steps) == 3
    first, second = breaks(smallest.steps)
    assert {conflicts(first), conflicts(second)} == {True, False}
    assert {loses_commits(first), loses_commits(second)} == {True, False}
    assert smallest.steps[-1] == Ask("place")
    assert len(smallest.tries) == 3, "to tell how often it is seen"


def test_what_a_busy_machine_may_cause_is_tried_again(searched: Callable[..., Chaos]) -> None:
    world = World(comes_back_late)
    found = searched(world).found
    assert set(found) == {"V2"}
    assert [type(one) for one in breaks(found["V2"].steps)] == [Restart]
    tried = [steps for steps in world.ran if steps == found["V2"].steps]
    assert len(tried) == 3


def test_a_sound_service_is_searched_until_the_time_is_over(
    searched: Callable[..., Chaos],
) -> None:
    world = World(sound)
    chaos = searched(world, lasting=seconds(60))
    assert chaos.found == {}
    assert chaos.run == len(world.ran) == chaos.assessed["C1"]
    assert chaos.run == 121, "the last begins as the time is over"
    assert len(set(world.ran)) == chaos.run, "each once"


def test_the_same_seed_draws_the_same_and_another_share_others(
    searched: Callable[..., Chaos],
) -> None:
    worlds = [World(sound) for _ in range(4)]
    for world, limits in zip(worlds, ({}, {}, {"seed": 2}, {"share": 1}), strict=True):
        searched(world, lasting=seconds(30), **limits)
    first, again, other_seed, other_share = (world.ran for world in worlds)
    assert first == again
    assert first != other_seed
    assert first != other_share


def test_a_fault_that_the_backend_lacks_is_never_drawn(searched: Callable[..., Chaos]) -> None:
    world = World(sound, lacking=[Restart, TerminatedBackends])
    searched(world, lasting=seconds(60))
    drawn = {type(fault) for steps in world.ran for fault in breaks(steps)}
    assert len(drawn) > 5
    assert not drawn & {Restart, TerminatedBackends}


def test_at_night_more_faults_meet(searched: Callable[..., Chaos]) -> None:
    by_day, night = World(sound), World(sound)
    searched(by_day, lasting=seconds(40))
    searched(night, lasting=seconds(40), night=True)

    def most(world: World) -> int:
        return max(len(breaks(steps)) for steps in world.ran)

    assert most(by_day) <= 4 * 3
    assert most(night) > 4 * 3


def test_every_family_of_faults_is_drawn(searched: Callable[..., Chaos]) -> None:
    world = World(sound)
    searched(world, lasting=seconds(120))
    drawn = {type(fault) for steps in world.ran for fault in breaks(steps)}
    assert {Freeze, ChangedSchema, Restart, Latency, LostCommitReply} <= drawn


def test_the_schema_changes_so_often_at_most(
    searched: Callable[..., Chaos], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_MOST_CHANGES", 5)
    world = World(sound)
    searched(world, lasting=seconds(120))
    faults = [fault for steps in world.ran for fault in breaks(steps)]
    assert 0 < sum(isinstance(one, ChangedSchema) for one in faults) <= 5
    assert len(world.ran) > 50, "and the search goes on without"


def test_what_random_schedules_have_found_is_kept_and_tried_first(
    searched: Callable[..., Chaos], tmp_path: Path
) -> None:
    """Pairs come in the same order each time."""
    first, again = World(loses_one_of_three), World(loses_one_of_three)
    assert searched(first, examples=str(tmp_path), lasting=seconds(3000)).found
    searched(again, examples=str(tmp_path), lasting=seconds(5))
    assert not loses_one_of_three(breaks(first.ran[0]))
    assert loses_one_of_three(breaks(again.ran[0]))


def test_making_it_small_ends_in_time(
    searched: Callable[..., Chaos], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_SHRINKING", seconds(1))
    world = World(loses_a_write)
    chaos = searched(world, lasting=seconds(300))
    assert set(chaos.found) == {"C1"}
    assert world.now < 300 + 10


def test_without_hypothesis_it_is_not_assessed_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "find_spec", lambda _: None)
    with pytest.raises(NotAssessable, match="Hypothesis") as reason:
        asyncio.run(Search().run(World(sound).stage))
    assert "pytest-brownout[chaos]" in reason.value.remedy


def test_the_longest_counts_the_search_and_what_it_makes_small() -> None:
    short, long = (Search(lasting=seconds(one)).longest(DECLARED) for one in (20, 80))
    assert long - short == timedelta(seconds=60)
    assert short > seconds(20)
