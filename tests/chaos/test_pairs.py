"""Each pair of faults has one schedule for each write."""

from collections import Counter
from dataclasses import replace
from itertools import islice, permutations

import pytest

from brownout import Operation
from brownout.chaos.families import AT_A_STEP, AT_THE_SERVER, IN_A_ROW, TWICE
from brownout.chaos.pairs import pairs
from brownout.declaration import Service
from brownout.faults import Crash, Fault, Freeze
from brownout.trial import Ask, Break, Heal, Settle
from brownout.trial.chaos.steps import Step
from tests.core.made import READ, WRITE, service

STEPS, SERVER, ROW = len(AT_A_STEP), len(AT_THE_SERVER), len(IN_A_ROW)
QUICK = len(TWICE) + STEPS * (STEPS - 1) // 2
EVERY = QUICK + STEPS * SERVER + SERVER * (SERVER - 1) // 2 + ROW * (ROW - 1)
CANCEL = replace(WRITE, name="cancel")


def anything(_: Fault) -> bool:
    return True


ONLY_WRITES = service(operations=(WRITE,))


def made(declared: Service, seed: int = 1) -> list[tuple[Step, ...]]:
    return list(pairs(declared, anything, seed=seed))


def breaks(steps: tuple[Step, ...]) -> list[Fault]:
    return [one.fault for one in steps if isinstance(one, Break)]


def asked(steps: tuple[Step, ...]) -> list[str]:
    return [one.operation for one in steps if isinstance(one, Ask)]


def test_each_pair_has_one_schedule() -> None:
    schedules = made(ONLY_WRITES)
    assert len(schedules) == len(set(schedules)) == EVERY
    in_a_row = {tuple(breaks(one)) for one in schedules if Heal() in one}
    assert in_a_row == set(permutations(IN_A_ROW, 2))
    together = {frozenset(breaks(one)) for one in schedules if Heal() not in one}
    assert len(together) == EVERY - len(in_a_row)


def test_nothing_else_can_be_done_to_a_frozen_server_so_that_comes_last() -> None:
    together = [one for one in made(ONLY_WRITES) if Heal() not in one]
    frozen = [breaks(one) for one in together if Freeze() in breaks(one)]
    assert len(frozen) == STEPS + SERVER - 1
    assert all(one[-1] == Freeze() for one in frozen)


def test_those_that_take_the_least_time_come_first() -> None:
    schedules = made(ONLY_WRITES)
    at_a_step = {*TWICE, *AT_A_STEP}
    assert all(set(breaks(one)) <= at_a_step for one in schedules[:QUICK])
    assert [one.callers for one in schedules[0] if isinstance(one, Ask)] == [1]
    assert not any(set(breaks(one)) <= at_a_step and Heal() not in one for one in schedules[QUICK:])


def test_the_second_fault_of_a_row_meets_as_many_requests_as_the_first() -> None:
    first, crowd, settled, healed, second, again, ended = next(
        one for one in made(ONLY_WRITES) if Heal() in one
    )
    assert isinstance(first, Break)
    assert isinstance(second, Break)
    assert crowd == again
    assert isinstance(crowd, Ask)
    assert crowd.callers > 1
    assert (settled, healed, ended) == (Settle(), Heal(), Settle())


def test_a_seed_makes_one_order_and_another_seed_another() -> None:
    first, again, other = (made(ONLY_WRITES, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert set(first) == set(other)


def test_searches_side_by_side_share_them() -> None:
    whole = made(ONLY_WRITES)
    shares = [list(islice(made(ONLY_WRITES), share, None, 4)) for share in range(4)]
    assert Counter(one for share in shares for one in share) == Counter(whole)


def test_writes_take_turns_until_each_has_met_every_pair() -> None:
    schedules = made(service(operations=(WRITE, CANCEL)))
    assert len(set(schedules)) == 2 * EVERY
    for half in (schedules[:EVERY], schedules[EVERY:]):
        names = Counter(asked(one)[0] for one in half)
        assert names.keys() == {"place", "cancel"}
        assert abs(names["place"] - names["cancel"]) <= 1


def test_a_read_that_reads_back_the_write_meets_both_faults_too() -> None:
    found = Operation.read("find", "GET", "/orders/{token}", reads_back="place")
    schedules = made(service(operations=(WRITE, found)))
    together = [asked(one) for one in schedules if Heal() not in one]
    assert together.count(["place", "find"]) == EVERY - ROW * (ROW - 1)
    assert all(one in (["place", "find"], ["find"]) for one in together)


def test_reads_meet_what_breaks_the_server_and_take_turns_too() -> None:
    other = replace(READ, name="count")
    schedules = made(service(operations=(READ, WRITE, other)))
    reading = [one for one in schedules if asked(one)[0] != "place"]
    assert len(schedules) - len(reading) == EVERY
    assert not set(reading) & set(schedules[:QUICK])
    assert {fault for one in reading for fault in breaks(one)} == set(AT_THE_SERVER)
    later = len(set(AT_THE_SERVER) & set(IN_A_ROW))
    each = SERVER * (SERVER - 1) // 2 + later * (later - 1)
    assert len(set(reading)) == 2 * each
    for half in (reading[:each], reading[each:]):
        names = Counter(asked(one)[0] for one in half)
        assert names.keys() == {READ.name, "count"}
        assert abs(names[READ.name] - names["count"]) <= 1
    assert any(one in reading for one in schedules[QUICK : QUICK + 20])


def test_without_a_write_reads_meet_what_breaks_the_server() -> None:
    schedules = made(service(operations=(READ,)))
    assert {name for one in schedules for name in asked(one)} == {READ.name}
    assert {fault for one in schedules for fault in breaks(one)} == set(AT_THE_SERVER)


@pytest.mark.parametrize("lacking", [Freeze, Crash])
def test_a_fault_that_the_backend_lacks_is_in_no_pair(lacking: type[Fault]) -> None:
    schedules = pairs(service(), lambda fault: not isinstance(fault, lacking), seed=1)
    met = {type(fault) for one in schedules for fault in breaks(one)}
    assert len(met) > 5
    assert lacking not in met
