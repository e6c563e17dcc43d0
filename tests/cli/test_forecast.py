"""Which promises a gate assesses follows from the declaration and the backend."""

import pytest

from brownout import (
    Breaker,
    Budget,
    Degraded,
    Errors,
    Feed,
    Health,
    NotAssessable,
    Operation,
    Service,
    Streaming,
    ms,
    seconds,
)
from brownout.cli.behaviours import _tests
from brownout.cli.forecast import forecast
from brownout.faults import Fault, Restart

JUDGED = {test.behaviour for test in _tests()}

WHOLE = Service(
    command=["serve"],
    health=Health(live="/live", ready="/ready"),
    budget=Budget(request=seconds(1), recovery=seconds(3), pool=5, concurrency=50),
    errors=Errors(origin="origin"),
    breaker=Breaker(failures=5, rest=seconds(1), slow=ms(500)),
    feed=Feed(change="insert into things values ($1)", path="/things"),
    streaming=Streaming(path="/events"),
    operations=[
        Operation.read("list", "GET", "/things", deadline_header="X-Timeout-Ms"),
        Operation.read("quote", "GET", "/quote", needs_database=False),
        Operation.read(
            "cached", "GET", "/cached", degraded=Degraded(marker="Age", max_age=seconds(9))
        ),
        Operation.write(
            "place", "POST", "/things", json={"name": "{token}"}, idempotency_header="Key",
            applied="select count(*) from things where name = $1", invariant="select 1",
        ),
        Operation.compute("draw", "GET", "/draw"),
    ],
)  # fmt: skip

BARE = Service(
    command=["serve"],
    health=Health(live=None, ready=None),
    budget=Budget(request=seconds(1), recovery=seconds(3), pool=5),
    errors=Errors(media_type="text/plain", trace=None),
)


def makes_all(_: Fault) -> None:
    """A backend that can make each fault."""


def makes_no_restart(fault: Fault) -> None:
    """A backend like a server that is not ours."""
    if isinstance(fault, Restart):
        raise NotAssessable("Restart cannot be made here.")


def test_a_whole_declaration_is_assessed_for_every_promise_that_is_judged() -> None:
    seen = forecast(WHOLE, makes_all)

    assert set(seen.assessed) == JUDGED
    assert seen.missing == {}


def test_of_a_bare_declaration_each_promise_is_missing_with_its_line() -> None:
    seen = forecast(BARE, makes_all)

    assert seen.assessed == ("H0", "P5")
    assert set(seen.missing) == JUDGED - {"H0", "P5"}
    assert all(why.remedy for why in seen.missing.values())
    assert [trial.id for trial in seen.trials] == ["steady"]


def test_a_fault_that_cannot_be_made_costs_its_trial_alone() -> None:
    whole, seen = forecast(WHOLE, makes_all), forecast(WHOLE, makes_no_restart)

    assert {trial.id for trial in whole.trials} - {trial.id for trial in seen.trials} == {"restart"}
    assert seen.assessed == whole.assessed


@pytest.mark.parametrize(
    ("field", "promises"),
    [
        ("breaker", {"B1", "B2", "B3", "B4", "B5"}),
        ("operations", JUDGED - {"H0", "H10", "P5", "S6", "V8"}),
    ],
)
def test_what_is_left_out_costs_its_promises(field: str, promises: set[str]) -> None:
    fields = {name: getattr(WHOLE, name) for name in WHOLE.__slots__}
    default = () if field == "operations" else None
    seen = forecast(Service(**{**fields, field: default}), makes_all)

    assert set(seen.missing) == promises


def test_a_service_with_a_pace_is_not_asked_for_more_than_it_admits() -> None:
    fields = {name: getattr(WHOLE, name) for name in WHOLE.__slots__}
    seen = forecast(Service(**{**fields, "pace": 50}), makes_all)

    assert set(seen.missing) == {"L1", "L2", "L3", "L4", "L5"}
    assert all("a pace of 50 requests a second" in why.cause for why in seen.missing.values())


def test_the_sweep_is_made_only_where_it_is_asked_for() -> None:
    trials = {trial.id for trial in forecast(WHOLE, makes_all).trials}
    assert "outage" in trials
    assert not any(name.startswith("sweep") for name in trials)
