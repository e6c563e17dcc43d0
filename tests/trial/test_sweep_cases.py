"""The steps of a conversation, the cases that follow from them, and the choice among them."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout import Budget, ms, seconds
from brownout.engine.direction import StreamDirection
from brownout.engine.wire.events import Event
from brownout.faults import CutAt, LostReply, ServerError, Side, StalledAt, TruncatedReply
from brownout.settings.sharding import Shard
from brownout.trial.sweep.breaks import BREAKS, SQLSTATES, Break
from brownout.trial.sweep.cases import SHARES, cases_of, is_in, matches, ordered, share_of
from brownout.trial.sweep.conversation import Conversation, Sent, Step, conversation_of, sent_in
from brownout.trial.sweep.statements import key_of

BUDGET = Budget(request=seconds(1), recovery=seconds(2), pool=4)
FIND = "select * from orders where key = $1"
PLACE = "insert into orders values ($1)"


def sent(sql: str, *, prepared: bool = True, transaction: bool = True, rows: bool = False) -> Sent:
    return Sent(1, sql, key_of(sql), prepared, transaction, rows)


WRITE = (
    sent("BEGIN", prepared=False, transaction=False),
    sent(FIND, rows=True),
    sent(PLACE),
    sent("COMMIT", prepared=False),
)


def names(conversation: Conversation) -> list[str]:
    return [step.name for step in conversation.steps]


def ways(conversation: Conversation, step: str) -> set[str]:
    return {one.way.name for one in cases_of([conversation]) if one.step.name == step}


# -- from events to steps ------------------------------------------------------------------------


def event(
    number: int,
    kind: str,
    sql: str | None = None,
    *,
    connection: int = 1,
    status: str = "I",
    downstream: bool = False,
) -> Event:
    way = StreamDirection.DOWNSTREAM if downstream else StreamDirection.UPSTREAM
    return Event(number, float(number), connection, way, kind, sql, None, None, status, 9, None)


def test_executions_are_steps_and_what_prepares_them_is_not() -> None:
    found = sent_in(
        [
            event(1, "Query", "BEGIN"),
            event(2, "Parse", FIND, status="T"),
            event(3, "Bind", FIND, status="T"),
            event(4, "Execute", FIND, status="T"),
            event(5, "DataRow", FIND, status="T", downstream=True),
            event(6, "CommandComplete", FIND, status="T", downstream=True),
            event(7, "Query", "COMMIT", status="T"),
        ]
    )
    assert [one.sql for one in found] == ["BEGIN", FIND, "COMMIT"]
    assert [one.prepared for one in found] == [False, True, False]
    assert [one.transaction for one in found] == [False, True, True]
    assert [one.rows for one in found] == [False, True, False]


def test_what_the_service_sends_by_itself_is_left_out_with_its_connection() -> None:
    found = sent_in(
        [
            event(1, "Query", "BEGIN", connection=2),
            event(2, "Query", "select 1 from jobs", connection=2),
            event(3, "Query", FIND),
            event(4, "Query", "COMMIT", connection=2),
            event(5, "Query", "COMMIT"),
        ],
        background={"select ? from jobs"},
    )
    assert [(one.connection, one.sql) for one in found] == [(1, FIND), (1, "COMMIT")]


def test_steps_are_named_and_counted_in_their_order() -> None:
    conversation = conversation_of("place", [WRITE, WRITE])
    assert names(conversation) == ["BEGIN", "select orders", "insert orders", "COMMIT"]
    assert [step.nth for step in conversation.steps] == [1, 1, 1, 1]
    assert not any(step.varies for step in conversation.steps)
    assert conversation.first_work == conversation.steps[1]


def test_other_statements_of_the_same_name_get_a_number_that_a_rule_counts_by_its_pattern() -> None:
    request = [sent(FIND), sent("select * from orders where id = $1"), sent(FIND)]
    conversation = conversation_of("read", [request])
    assert names(conversation) == ["select orders", "select orders 2", "select orders 3"]
    assert [step.nth for step in conversation.steps] == [1, 1, 2]


def test_a_statement_for_each_row_is_broken_twice_and_the_rest_is_told() -> None:
    line = sent("select * from lines where id = $1")
    conversation = conversation_of("read", [[sent(FIND), *[line] * 7], [sent(FIND), *[line] * 9]])
    assert names(conversation) == ["select orders", "select lines", "select lines 2"]
    assert conversation.folded == {"select lines 2": 7}


def test_a_step_that_only_some_requests_have_varies_and_is_there() -> None:
    conversation = conversation_of(
        "place", [WRITE, [*WRITE[:2], sent("select 1 from a"), *WRITE[2:]]]
    )
    steps = {step.name: step for step in conversation.steps}
    assert (steps["select a"].seen, steps["select a"].of) == (1, 2)
    assert steps["select a"].varies
    assert not steps["COMMIT"].varies


def test_a_savepoint_whose_name_the_driver_counts_on_is_one_step() -> None:
    requests = [
        [
            sent("BEGIN", transaction=False),
            sent(f'SAVEPOINT "s14_x{count}"'),
            sent(PLACE),
            sent(f'RELEASE SAVEPOINT "s14_x{count}"'),
            sent("COMMIT"),
        ]
        for count in (7, 8, 9)
    ]
    conversation = conversation_of("place", requests)
    assert names(conversation) == ["BEGIN", "SAVEPOINT", "insert orders", "RELEASE", "COMMIT"]
    assert not any(step.varies for step in conversation.steps)


def test_connecting_is_a_step_only_where_each_request_does() -> None:
    connect = Sent(1, None, "connect")
    assert names(conversation_of("read", [[connect, sent(FIND)], [sent(FIND)]])) == [
        "select orders"
    ]
    each = conversation_of("read", [[connect, sent(FIND)], [connect, sent(FIND)]])
    assert names(each) == ["connect", "select orders"]
    assert ways(each, "connect") == {"login-53300", "login-57P03"}


# -- from steps to cases -------------------------------------------------------------------------


def test_each_step_has_the_faults_that_can_come_there() -> None:
    place = conversation_of("place", [WRITE])
    everywhere = {
        "cut-before", "cut-after", "reset-before", "reset-after", "silence", "silent-reply",
        "delay", "lost-reply", "truncated-reply", "shutdown", "reset-before-twice",
        "lost-reply-twice",
    }  # fmt: skip
    assert ways(place, "BEGIN") == everywhere
    assert ways(place, "COMMIT") == everywhere | {
        "idle-timeout", "error-40001", "error-40001-twice", "error-53100", "error-23503",
    }  # fmt: skip
    reading = everywhere | {
        "idle-timeout", "error-40001", "error-40001-twice", "error-57014", "error-53200",
        "error-XX000", "error-26000", "error-0A000",
    }  # fmt: skip
    assert ways(place, "select orders") == reading
    assert ways(place, "insert orders") == reading | {
        "error-40P01", "error-53100", "error-55P03", "error-25006", "error-23505", "error-22001",
    }  # fmt: skip


def test_a_read_outside_of_a_transaction_meets_no_conflict_and_a_plain_query_no_lost_plan() -> None:
    alone = conversation_of("read", [[sent(FIND, prepared=False, transaction=False)]])
    assert not ways(alone, "select orders") & {
        "error-40001", "idle-timeout", "error-26000", "error-0A000",
    }  # fmt: skip


def test_every_case_has_its_own_name_and_a_fault_for_its_step() -> None:
    cases = cases_of([conversation_of("place", [WRITE]), conversation_of("read", [WRITE[1:2]])])
    assert len({case.name for case in cases}) == len(cases)
    by_name = {case.name: case.fault(BUDGET) for case in cases}
    on = by_name["place/COMMIT/lost-reply"]
    assert isinstance(on, LostReply)
    assert (on.nth, on.times) == (1, 1)
    after = by_name["place/insert orders/reset-after"]
    assert isinstance(after, CutAt)
    assert after.reset
    assert after.side is Side.AFTER
    twice = by_name["place/BEGIN/reset-before-twice"]
    assert isinstance(twice, CutAt)
    assert twice.times == 2
    assert isinstance(by_name["read/select orders/silence"], StalledAt)
    row = by_name["read/select orders/truncated-reply"]
    assert isinstance(row, TruncatedReply)
    assert row.in_row


def test_what_the_server_says_in_some_case_is_known_to_those_who_look_for_leaks() -> None:
    step = Step("a", "insert t", "insert into t", "^insert", prepared=True, transaction=True)
    faults = [way.fault(step, BUDGET) for way in BREAKS]
    states = {getattr(fault, "sqlstate", None) for fault in faults} - {None}
    assert states == set(SQLSTATES)
    assert all(one.message for one in faults if isinstance(one, ServerError))


# -- the choice ----------------------------------------------------------------------------------


def test_each_case_belongs_to_one_share_by_its_name_alone() -> None:
    cases = cases_of([conversation_of("place", [WRITE])])
    shares = Counter(share_of(case.name) for case in cases)
    assert set(shares) == set(range(SHARES))
    assert max(shares.values()) <= len(cases) / SHARES + len(WRITE)
    for step in conversation_of("place", [WRITE]).steps:
        waiting = {
            share_of(f"place/{step.name}/{way}") for way in ("silence", "silent-reply", "delay")
        }
        assert len(waiting) == 3, "what waits for D is spread out"


def test_the_first_cases_are_a_choice_from_every_step_and_the_seed_decides_which() -> None:
    cases = cases_of([conversation_of("place", [WRITE])])
    first = ordered(cases, 1)
    assert sorted(one.name for one in first) == sorted(one.name for one in cases)
    assert {one.step.name for one in first[:4]} == {step.step.name for step in cases}
    assert ordered(cases, 1) == first
    assert ordered(cases, 2) != first


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        ("place", True),
        ("place/COMMIT", True),
        ("place/COMMIT/lost-reply", True),
        ("place/COMM", False),
        ("pla", False),
        ("place/BEGIN", False),
        ("place/COMMIT/lost-reply-twice", False),
    ],
)
def test_a_case_is_named_whole_or_by_its_step_or_operation(wanted: str, taken: bool) -> None:
    assert matches("place/COMMIT/lost-reply", wanted) is taken


def test_a_delay_is_longer_than_what_is_left_of_the_deadline() -> None:
    step = conversation_of("place", [WRITE]).steps[0]
    delay = next(way for way in BREAKS if way.name == "delay")
    assert delay.fault(step, replace(BUDGET, request=ms(400))).delay > ms(400)  # type: ignore[attr-defined]


# -- shards ---------------------------------------------------------------------------------------


@given(st.text("abc/ ", min_size=1, max_size=12), st.sampled_from(BREAKS), st.integers(1, 50))
def test_each_case_is_in_one_share_of_one_shard(place: str, way: Break, shards: int) -> None:
    name = f"{place}/{way.name}"
    found = [
        (share, number)
        for share in range(SHARES)
        for number in range(1, shards + 1)
        if share_of(name) == share and is_in(Shard(number, shards), name)
    ]
    assert len(found) == 1


@given(st.integers(0, 10**6), st.integers(2, 8))
def test_the_cases_of_a_step_are_spread_over_the_shards(step: int, shards: int) -> None:
    names = [f"place/step {step}/{way.name}" for way in BREAKS]
    each = [sum(is_in(Shard(n, shards), name) for name in names) for n in range(1, shards + 1)]
    assert sum(each) == len(BREAKS)
    assert max(each) - min(each) <= SHARES
