"""A run is divided among jobs: each trial is in one of them, and all take about as long."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout import NotAssessable, Service, seconds
from brownout.faults import Outage, Reset
from brownout.trial import Trial, plan
from brownout.trial.division import divided, weights
from brownout.trial.plan import EVERY_FAULT
from tests.core.made import service

OUTAGE, RESET = Trial("outage", Outage()), Trial("reset", Reset(), hold=seconds(60))
COMPARED = Trial("compared", Outage(), alone=True)
WEIGHTS = st.dictionaries(st.text("abcdef", min_size=1), st.integers(0, 10**9), max_size=60)
SHARDS = st.integers(1, 40)


def require_whole(shard_of: Mapping[str, int], weighed: Mapping[str, int], shards: int) -> None:
    """Refuse a division that lacks something, or has it where no job looks for it."""
    assert shard_of.keys() == weighed.keys()
    assert set(shard_of.values()) <= set(range(1, shards + 1))


def require_balanced(shard_of: Mapping[str, int], weighed: Mapping[str, int], shards: int) -> None:
    """Refuse a division in which a shard has more than another and the heaviest trial."""
    loads = Counter(dict.fromkeys(range(1, shards + 1), 0))
    for name, number in shard_of.items():
        loads[number] += weighed[name]
    assert max(loads.values()) - min(loads.values()) <= max(weighed.values(), default=0)


@given(WEIGHTS, SHARDS)
def test_each_trial_is_in_one_shard_and_none_has_much_more(
    weighed: dict[str, int], shards: int
) -> None:
    shard_of = divided(weighed, shards)
    require_whole(shard_of, weighed, shards)
    require_balanced(shard_of, weighed, shards)


@given(WEIGHTS, SHARDS, st.randoms())
def test_the_order_of_the_trials_changes_nothing(
    weighed: dict[str, int], shards: int, chance: Random
) -> None:
    shuffled = list(weighed.items())
    chance.shuffle(shuffled)
    assert divided(dict(shuffled), shards) == divided(weighed, shards)


def test_a_lost_trial_a_strange_shard_and_a_heap_would_be_seen() -> None:
    weighed = {"a": 5, "b": 5, "c": 5}
    with pytest.raises(AssertionError):
        require_whole({"a": 1, "b": 2}, weighed, 2)
    with pytest.raises(AssertionError):
        require_whole({"a": 1, "b": 2, "c": 3}, weighed, 2)
    with pytest.raises(AssertionError):
        require_balanced(dict.fromkeys(weighed, 1), weighed, 2)


def test_of_the_suites_trials_no_shard_has_much_more_than_its_part() -> None:
    """Longest first: at most a third more than the best division, whatever that is."""
    weighed = weights(EVERY_FAULT, service(), {})
    for shards in (2, 3, 5):
        loads = Counter[int]()
        for name, number in divided(weighed, shards).items():
            loads[number] += weighed[name]
        least = max(sum(weighed.values()) / shards, *weighed.values())
        assert max(loads.values()) <= least * 4 / 3


# -- how long a trial occupies its job -----------------------------------------------------------


def in_seconds(found: Mapping[str, int]) -> dict[str, float]:
    return {name: weight / 1e6 for name, weight in found.items()}


def test_without_an_earlier_run_the_longest_of_each_counts() -> None:
    found = in_seconds(weights([OUTAGE, RESET, COMPARED], service(), {}, replicas=4))
    longest = OUTAGE.longest(service()).total_seconds()
    assert found["outage"] == pytest.approx(longest / 4)
    assert found["compared"] == pytest.approx(longest), "all replicas wait for it"
    assert found["reset"] > found["outage"]


def test_what_an_earlier_run_took_counts_and_shortens_the_others() -> None:
    longest = OUTAGE.longest(service())
    found = weights([OUTAGE, COMPARED], service(), {"outage": longest / 2}, replicas=1)
    assert in_seconds(found) == {
        "outage": pytest.approx((longest / 2).total_seconds()),
        "compared": pytest.approx((longest / 2).total_seconds()),
    }


def test_what_the_declaration_does_not_allow_for_takes_no_time() -> None:
    undeclared = Trial("breaking", Outage(), needs=[Service.required_breaker])
    with pytest.raises(NotAssessable):
        undeclared.require(service())
    recorded = {"breaking": timedelta(seconds=9)}
    assert weights([undeclared, OUTAGE], service(), recorded)["breaking"] == 0


def test_without_a_declaration_trials_are_alike_unless_they_were_recorded() -> None:
    found = weights([OUTAGE, RESET], None, {}, replicas=1)
    assert found["outage"] == found["reset"] > 0
    found = weights([OUTAGE, RESET], None, {"reset": seconds(8)}, replicas=1)
    assert in_seconds(found) == {"outage": 8.0, "reset": 8.0}
    found = weights([OUTAGE, RESET, plan.CUT], None, {"reset": seconds(8), "cut": seconds(2)})
    assert found["reset"] == 4 * found["cut"]
