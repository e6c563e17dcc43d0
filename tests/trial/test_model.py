"""A trial is data: refused where it means nothing, pasteable, and never longer than it says."""

import datetime as dt
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

import brownout.faults
import brownout.trial
from brownout import Budget, Health, Kind, NotAssessable, Operation, Service, SettingsError
from brownout.faults import (
    Fault,
    Latency,
    Outage,
    RefusedAuthentication,
    Reset,
    Restart,
    TerminatedBackends,
)
from brownout.settings.sharding import Shard
from brownout.trial import LatencyOfDeadline, Stage, Trial, plan
from brownout.trial.model import patience
from brownout.trial.writes import WriteHistories
from brownout.units import ms, seconds
from tests.core.made import READ, WRITE, service

SQL = "select count(*) from things where token = $1"
FREE = Operation.read("free", "GET", "/free", needs_database=False)


def trials() -> list[Trial]:
    """Every trial of the plan, each once."""
    named = [getattr(plan, name) for name in plan.__all__]
    each = [trial for one in named for trial in (one if isinstance(one, tuple) else (one,))]
    return sorted(set(each), key=lambda trial: trial.id)


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("good", ["outage", "slow_checkout", "slow-checkout", "cut_8_bytes", "7"])
def test_an_id_is_lower_case_words(good: str) -> None:
    assert Trial(good).id == good


@pytest.mark.parametrize(
    "bad", ["", "Outage", "slow checkout", "_a", "a_", "a__b", "a/b", "../a", "a.json", "ä", "a\n"]
)
def test_an_id_that_could_not_be_a_file_s_name_is_refused(bad: str) -> None:
    with pytest.raises(SettingsError, match="is not made of lower-case words") as refusal:
        Trial(bad)
    assert repr(bad) in refusal.value.cause
    assert "slow_checkout" in refusal.value.remedy


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"waves": -1}, "waves is -1"),
        ({"width": 0}, "width 0"),
        ({"width": -0.5}, "width -0.5"),
        ({"crowd": -3}, "crowd -3"),
        ({"hold": ms(-1)}, "hold -1 day"),
    ],
)
def test_what_cannot_be_counted_is_refused(fields: dict[str, object], shown: str) -> None:
    with pytest.raises(SettingsError, match="'x'") as refusal:
        Trial("x", **fields)  # type: ignore[arg-type]
    assert shown in refusal.value.cause


def test_one_name_is_not_a_list_of_names() -> None:
    with pytest.raises(SettingsError, match="ask is 'place', but a list") as refusal:
        Trial("x", ask="place")
    assert refusal.value.remedy == "Write ask=['place']."


# -- what is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "asked"),
    [
        (None, [READ, WRITE]),
        (Kind.READ, [READ]),
        (Kind.WRITE, [WRITE]),
        (["free", "place"], [FREE, WRITE]),
        ([], []),
    ],
)
def test_asked_are_those_named_those_of_a_kind_or_all_that_need_the_database(
    ask: Kind | list[str] | None, asked: list[Operation]
) -> None:
    assert list(Trial("x", ask=ask).operations(service([READ, FREE, WRITE]))) == asked


def test_an_operation_that_is_not_declared_is_answered_with_the_closest_one() -> None:
    with pytest.raises(SettingsError, match="declares no operation 'plaec'") as refusal:
        Trial("x", ask=["plaec"]).operations(service([READ, WRITE]))
    assert refusal.value.remedy == "Did you mean 'place'?"


def test_an_operation_like_none_that_is_declared_is_answered_with_all_of_them() -> None:
    with pytest.raises(SettingsError) as refusal:
        Trial("x", ask=["zzz"]).operations(service([READ, WRITE]))
    assert refusal.value.remedy == "Known: list, place."


@pytest.mark.parametrize("ask", [None, Kind.READ, Kind.WRITE])
def test_where_nothing_can_be_asked_nothing_is_assessed(ask: Kind | None) -> None:
    with pytest.raises(NotAssessable):
        Trial("x", ask=ask).operations(service([FREE]))


# -- its faults ----------------------------------------------------------------------------------


def test_a_latency_of_the_deadline_follows_the_service_s_budget() -> None:
    trial = Trial("x", LatencyOfDeadline(2))
    assert trial.fault_for(service(request=ms(300))) == Latency(ms(600))
    assert Trial("x", Outage()).fault_for(service()) == Outage()
    assert Trial("x").fault_for(service()) is None


@pytest.mark.parametrize(
    ("fault", "momentary", "new_only"),
    [
        (Restart(), True, False),
        (TerminatedBackends(), True, False),
        (RefusedAuthentication("57P03"), False, True),
        (LatencyOfDeadline(2), False, False),
        (Outage(), False, False),
        (Reset(), False, False),
        (None, False, False),
    ],
)
def test_a_trial_knows_how_its_fault_is_met(
    fault: Fault | LatencyOfDeadline | None, momentary: bool, new_only: bool
) -> None:
    trial = Trial("x", fault)
    assert trial.momentary is momentary
    assert trial.refuses_new_connections_only is new_only


# -- as a value ----------------------------------------------------------------------------------


def pasted(trial: Trial) -> object:
    names: dict[str, object] = {"datetime": dt, "Kind": Kind, "Shard": Shard}
    for module in (brownout.faults, brownout.trial):
        names |= {name: getattr(module, name) for name in module.__all__}
    names |= vars(plan)
    return eval(repr(trial), names)  # noqa: S307 - our own text


@pytest.mark.parametrize("trial", trials(), ids=lambda trial: trial.id)
def test_the_repr_pastes_back(trial: Trial) -> None:
    assert pasted(trial) == trial


def test_the_repr_of_an_adopter_s_trial_pastes_back() -> None:
    trial = Trial("x", Latency(ms(300)), ["a", "b"], crowd=40, hold=seconds(5), alone=True)
    assert pasted(trial) == trial


def test_trials_are_keys_also_where_their_operations_are_a_list() -> None:
    listed, other = Trial("x", ask=["a", "b"]), Trial("x", ask=("b", "a"))
    assert {listed: 1, other: 2}[Trial("x", ask=("a", "b"))] == 1


def test_a_list_that_changes_later_changes_no_trial() -> None:
    names = ["a"]
    trial = Trial("x", ask=names)
    names.append("b")
    assert trial == Trial("x", ask=["a"])


# -- how long it takes ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Slow:
    """A script of so long."""

    time: timedelta

    async def run(self, stage: Stage) -> None:
        """Nothing."""

    def longest(self, _: Service) -> timedelta:
        """As it was made."""
        return self.time


WAVES = Trial("x", Outage())


@pytest.mark.parametrize(
    "longer",
    [
        replace(WAVES, waves=3),
        replace(WAVES, hold=seconds(60)),
        replace(WAVES, script=Slow(seconds(60))),
    ],
)
def test_the_longest_grows_with_the_trial(longer: Trial) -> None:
    assert longer.longest(service()) > WAVES.longest(service())


@pytest.mark.parametrize("trial", trials(), ids=lambda trial: trial.id)
def test_the_longest_grows_with_the_service_s_deadline_and_recovery_time(trial: Trial) -> None:
    quick, slow = (
        service(
            [READ, WRITE, FREE],
            budget=Budget(request=seconds(one), recovery=seconds(one * 10), pool=3),
        )
        for one in (1, 2)
    )
    longer = replace(quick, budget=replace(quick.budget, recovery=seconds(11)))
    assert seconds(10) < trial.longest(quick) < trial.longest(longer) < trial.longest(slow)


def test_the_longest_grows_with_what_an_orchestrator_waits_for() -> None:
    patient = service(health=Health(live="/live", ready="/ready", period=seconds(10), threshold=4))
    assert WAVES.longest(patient) == WAVES.longest(service()) + seconds(4 * 11 - 3 * 2)
    longer = service(health=replace(patient.health, timeout=seconds(5)))
    assert WAVES.longest(longer) == WAVES.longest(patient) + seconds(4 * 4)


def test_the_longest_grows_with_the_time_of_a_history_and_the_number_of_writes() -> None:
    another = Operation.write("another", "POST", "/{token}", applied=SQL)
    unrecorded = Operation.write("unrecorded", "POST", "/{token}")
    keyed = Operation.write("keyed", "POST", "/{token}", applied=SQL)
    one, two = service([keyed, unrecorded]), service([keyed, another])
    assert WriteHistories().longest(one) > WriteHistories().lasting
    assert WriteHistories(lasting=seconds(30)).longest(one) > WriteHistories().longest(one)
    assert WriteHistories().longest(two) == WriteHistories().longest(one) * 2


def test_a_caller_s_patience_is_two_deadlines_and_a_second() -> None:
    assert patience(service(request=ms(300))) == ms(1600)
