"""What rules make of messages, without a server: its answers are written by hand."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from brownout.engine.direction import StreamDirection
from brownout.engine.stream import Ending, Scope, ScopeKind
from brownout.engine.wire.actions import (
    Action,
    Cut,
    Delay,
    Error,
    Severity,
    Side,
    Stall,
    Swallow,
    Truncate,
)
from brownout.engine.wire.messages import BACKEND, FRONTEND
from brownout.engine.wire.refusal import copy_fail, error_response, refused_parse, refused_query
from brownout.engine.wire.rules import Rule
from brownout.engine.wire.sql import Sql
from brownout.engine.wire.when import Status, When
from tests.engine.wire.messages import (
    CANCEL,
    EXECUTE,
    FLUSH,
    SYNC,
    bind,
    complete,
    error,
    message,
    parse,
    query,
    ready,
    startup,
)
from tests.engine.wire.watched import Watched

OPENED = startup(user="u", application_name="shop")
GREETED = message("R", b"\0\0\0\0") + message("K", b"\0\0\0\7\0\0\0\1") + ready()
SERIALIZATION = Error("40001", Severity.ERROR, "no")
SHUTDOWN = Error("57P01", Severity.FATAL, "bye")


def _opened(when: When, do: Action) -> Watched:
    watched = Watched(Rule(when, do, "r"))
    watched.asks(OPENED)
    watched.answers(GREETED)
    watched.server.got.clear()
    watched.client.got.clear()
    return watched


@pytest.mark.parametrize(
    ("do", "got", "ending"),
    [
        (Cut(Side.BEFORE, reset=False), b"", Ending.CUT),
        (Cut(Side.BEFORE, reset=True), b"", Ending.RESET),
        (Cut(Side.AFTER, reset=False), query("b"), Ending.CUT),
        (Truncate(3), query("b")[:3], Ending.CUT),
        (Truncate(99), query("b"), Ending.CUT),
        (Swallow(), query("c"), None),
    ],
)
def test_an_action_at_a_message_leaves_those_before_it(
    do: Action, got: bytes, ending: Ending | None
) -> None:
    watched = _opened(When(("Query",), sql="b"), do)
    watched.asks(query("a") + query("b") + query("c"))
    assert bytes(watched.server.got) == query("a") + got
    assert watched.server.ending is ending
    assert watched.force[0].hits == 1


def test_a_delayed_message_holds_what_follows_and_the_end_behind_it() -> None:
    watched = _opened(When(("Query",), sql="b"), Delay(50))
    watched.asks(query("a") + query("b"))
    watched.asks(query("c"))
    watched.wire.up.end(Ending.FIN)
    assert bytes(watched.server.got) == query("a")
    assert watched.server.ending is None
    watched.server.waiting.pop()()
    assert bytes(watched.server.got) == query("a") + query("b") + query("c")
    assert watched.server.ending is Ending.FIN


def test_a_stalled_reply_goes_on_when_the_rule_is_removed() -> None:
    watched = _opened(When(("DataRow",)), Stall())
    watched.asks(query("a"))
    watched.answers(message("T") + message("D", b"1"))
    watched.answers(complete("SELECT 1") + ready())
    assert bytes(watched.client.got) == message("T")
    watched.rules.remove(watched.force[0])
    watched.wire.rule_removed(watched.force[0])
    assert bytes(watched.client.got) == (
        message("T") + message("D", b"1") + complete("SELECT 1") + ready()
    )


def test_a_cancel_request_is_taken_and_its_connection_closed_by_the_heal() -> None:
    watched = Watched(Rule(When(("CancelRequest",)), Swallow(), "r"))
    watched.asks(CANCEL)
    assert bytes(watched.server.got) == b""
    assert watched.client.ending is None
    watched.rules.remove(watched.force[0])
    watched.wire.rule_removed(watched.force[0])
    assert watched.client.ending is Ending.CUT


def test_an_error_takes_the_place_of_the_request_and_the_refusal_carries_it() -> None:
    watched = _opened(When(("Query", "Execute"), sql="insert"), SERIALIZATION)
    watched.asks(query("insert"))
    assert bytes(watched.server.got) == refused_query()
    watched.answers(error("42703", "column does not exist" * 60) + ready("E"))
    assert bytes(watched.client.got) == error_response("40001", "ERROR", "no") + ready("E")
    assert watched.force[0].hits == 1


def test_where_the_server_has_a_reason_of_its_own_that_is_what_the_client_reads() -> None:
    watched = _opened(When(("Execute",), sql="insert", times=1), SERIALIZATION)
    watched.asks(parse("insert") + bind() + EXECUTE + SYNC)
    assert bytes(watched.server.got) == parse("insert") + bind() + refused_parse() + SYNC
    watched.answers(message("1") + message("2") + error("25P02") + ready("E"))
    assert error("25P02") in bytes(watched.client.got)
    assert (watched.force[0].hits, watched.force[0].taken) == (0, 0)


@pytest.mark.parametrize(
    ("refused", "told", "hits"), [("57014", "40001", 1), ("42P01", "42P01", 0)]
)
def test_data_of_a_copy_is_refused_though_it_comes_before_the_server_reads_it(
    refused: str, told: str, hits: int
) -> None:
    watched = _opened(When(("CopyData",), StreamDirection.UPSTREAM, sql="^copy"), SERIALIZATION)
    copy, done = query("copy t from stdin"), message("c")
    watched.asks(copy + message("d", b"1\n") + done)
    assert bytes(watched.server.got) == copy + copy_fail() + done
    watched.answers(error(refused) + ready())
    assert f"C{told}\0".encode() in bytes(watched.client.got)
    assert watched.force[0].hits == hits


def test_a_request_that_is_skipped_was_not_hit_and_its_time_does_not_count() -> None:
    watched = _opened(When(("Execute",), sql="insert", times=1), SERIALIZATION)
    watched.asks(parse("insert") + bind() + EXECUTE + SYNC)
    watched.answers(error("42P01") + ready())
    assert (watched.force[0].hits, watched.force[0].taken) == (0, 0)
    watched.asks(parse("insert") + bind() + EXECUTE + SYNC)
    watched.answers(message("1") + message("2") + error("42703") + ready())
    assert watched.force[0].hits == 1


@pytest.mark.parametrize("sends", [query("commit"), parse("commit") + bind() + EXECUTE + SYNC])
def test_what_rolls_back_in_the_place_of_a_commit_is_not_seen(sends: bytes) -> None:
    watched = _opened(When(("Query", "Execute"), commits=True), SERIALIZATION)
    watched.asks(sends)
    if sends.startswith(b"Q"):
        watched.answers(complete("ROLLBACK") + error("42703") + ready())
        before = b""
    else:
        before = message("1") + message("2")
        hidden = message("1") + message("2") + complete("ROLLBACK") + message("3")
        watched.answers(before + hidden + error("42703") + ready())
    wanted = before + error_response("40001", "ERROR", "no") + ready()
    assert bytes(watched.client.got) == wanted


def test_fatal_comes_when_every_earlier_request_has_its_reply() -> None:
    watched = _opened(When(("Execute",), sql="b"), SHUTDOWN)
    watched.asks(parse("a") + bind() + EXECUTE + parse("b") + bind() + EXECUTE + SYNC)
    assert bytes(watched.server.got).endswith(parse("b") + bind() + FLUSH)
    watched.answers(message("1") + message("2") + complete("A")[:3])
    assert watched.client.ending is None
    watched.answers(complete("A")[3:] + message("1") + message("2"))
    replies = message("1") + message("2") + complete("A") + message("1") + message("2")
    assert bytes(watched.client.got) == replies + error_response("57P01", "FATAL", "bye")
    assert watched.client.ending is Ending.CUT
    assert watched.force[0].hits == 1


def test_fatal_in_the_place_of_a_reply_ends_the_session() -> None:
    watched = Watched(Rule(When(("Authentication",), tag="Ok"), SHUTDOWN, "r"))
    watched.asks(OPENED)
    watched.answers(message("R", b"\0\0\0\x0a") + GREETED)
    assert bytes(watched.client.got) == (
        message("R", b"\0\0\0\x0a") + error_response("57P01", "FATAL", "bye")
    )
    assert watched.client.ending is Ending.CUT


@pytest.mark.parametrize(
    ("conditions", "hits"),
    [
        ({}, 3),
        ({"nth": 2}, 2),
        ({"times": 1}, 1),
        ({"nth": 3, "times": 5}, 1),
        ({"status": Status.IDLE}, 3),
        ({"status": Status.TRANSACTION}, 0),
        ({"application_name": "shop"}, 3),
        ({"application_name": "Shop"}, 0),
        ({"pid": 7}, 3),
        ({"pid": 8}, 0),
        ({"commits": False}, 3),
        ({"commits": True}, 0),
    ],
)
def test_a_rule_acts_where_every_condition_holds(conditions: dict[str, Any], hits: int) -> None:
    watched = _opened(When(("Query",), **conditions), Swallow())
    for number in range(3):
        watched.asks(query(f"select {number}"))
    assert watched.force[0].hits == hits


@pytest.mark.parametrize(
    ("tag", "hits"), [("COMMIT", 1), ("insert", 1), ("INSERT 0", 1), ("INS", 0), ("SELECT", 0)]
)
def test_a_tag_is_matched_in_whole_words(tag: str, hits: int) -> None:
    watched = _opened(When(("CommandComplete",), tag=tag), Swallow())
    watched.asks(query("insert; commit"))
    watched.answers(complete("INSERT 0 1") + complete("COMMIT") + ready())
    assert watched.force[0].hits == hits


@pytest.mark.parametrize(
    ("text", "commits"),
    [
        ("commit", True),
        (" /* why */ COMMIT ;", True),
        ("-- so\nend transaction", True),
        ("insert into t values (1); commit", True),
        ("prepare transaction 'a'", True),
        ("commit prepared 'a'", False),
        ("select 'a; commit'", False),
        ("do $$ begin end $$", False),
        ("select case when true then 1 end", False),
        ("insert into committees values (1)", False),
        ("rollback", False),
        ("select e'\\'; commit'", False),
        ("select 'open; commit", False),
        ("select $a$; commit $b$", False),
        ("insert into t$a$b values (1); commit", True),
        ("select '\\'; commit", True),
    ],
)
def test_what_ends_a_transaction_and_keeps_its_work_is_known(text: str, commits: bool) -> None:
    assert Sql(text).commits is commits


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("insert into t values (1)", True),
        (" /* why */ UPDATE t SET a = 1", True),
        ("select 1; delete from t", True),
        ("with gone as (delete from t returning a) select a from gone", True),
        ("call place_order()", True),
        ("with a as (select 1)\nupdate t set a = 1", True),
        ("copy t (a, b)\nfrom stdin (format binary)", True),
        ('COPY "Order Lines" FROM STDIN', True),
        ("copy t to stdout", False),
        ("copy (select a from t) to stdout", False),
        ("COPY\n(select a from t) to stdout", False),
        ('copy "from" to stdout', False),
        ("select copy from t", False),
        ("select 1", False),
        ("select 'a; insert into t'", False),
        ("with a as (select 1) select * from a for update", False),
        ("with a as (select 1) select * from a for no key update", False),
        ("with a as (select 1) select * from a for\nupdate", False),
        ("with a as (select 1) select * from a for  no key /* so */ update", False),
        ("select * from updates", False),
        ("commit", False),
    ],
)
def test_what_writes_is_known_by_its_text(text: str, writes: bool) -> None:
    assert Sql(text).writes is writes


@pytest.mark.parametrize(
    ("asked", "answered", "hits"),
    [
        ("commit", complete("COMMIT") + ready(), 1),
        ("commit", complete("ROLLBACK") + ready("E"), 1),
        ("insert into t values (1)", complete("INSERT 0 1") + ready(), 1),
        (
            "insert into t values (1) returning id",
            message("D", b"\x00\x01\x00\x00\x00\x011") + complete("INSERT 0 1") + ready(),
            1,
        ),
        (
            "select id from t",
            message("D", b"\x00\x01\x00\x00\x00\x011") + complete("SELECT 1") + ready(),
            0,
        ),
        ("begin", complete("BEGIN") + ready("T"), 0),
    ],
)
def test_a_reply_to_what_has_committed(asked: str, answered: bytes, hits: int) -> None:
    watched = _opened(When(committed=True), Cut(Side.BEFORE))
    watched.asks(query(asked))
    watched.answers(answered)
    assert watched.force[0].hits == hits


@pytest.mark.parametrize(
    ("status", "hits"), [pytest.param("I", 1, id="by itself"), pytest.param("T", 0, id="within")]
)
def test_rows_that_are_copied_in_commit_by_themselves(status: str, hits: int) -> None:
    watched = _opened(When(committed=True), Cut(Side.BEFORE))
    watched.answers(ready(status))
    watched.asks(query("copy t from stdin"))
    watched.answers(message("G", b"\0\0\0"))
    assert watched.force[0].hits == 0
    watched.asks(message("d", b"1\n") + message("c"))
    watched.answers(complete("COPY 1") + ready(status))
    assert watched.force[0].hits == hits


@pytest.mark.parametrize(
    ("asked", "tag"), [("insert into t values (1)", "INSERT 0 1"), ("commit", "ROLLBACK")]
)
def test_inside_a_transaction_nothing_has_committed(asked: str, tag: str) -> None:
    watched = _opened(When(committed=True), Cut(Side.BEFORE))
    watched.asks(query("begin"))
    watched.answers(complete("BEGIN") + ready("T"))
    watched.asks(query(asked))
    watched.answers(complete(tag))
    assert watched.force[0].hits == 0


@pytest.mark.parametrize("begin", ["BEGIN", "START TRANSACTION"])
def test_a_begin_that_is_sent_together_with_a_write_keeps_it_open(begin: str) -> None:
    watched = _opened(When(committed=True), Cut(Side.BEFORE))
    watched.asks(query("begin; insert into t values (1)"))
    watched.answers(complete(begin) + complete("INSERT 0 1") + ready("T"))
    assert watched.force[0].hits == 0
    watched.asks(query("commit"))
    watched.answers(complete("COMMIT") + ready())
    assert watched.force[0].hits == 1


def test_after_a_rollback_that_was_sent_together_a_write_commits_by_itself() -> None:
    watched = _opened(When(committed=True), Cut(Side.BEFORE))
    watched.asks(query("begin; rollback; insert into t values (1)"))
    watched.answers(complete("BEGIN") + complete("ROLLBACK") + complete("INSERT 0 1"))
    assert watched.force[0].hits == 1


@pytest.mark.parametrize(
    "rule",
    [
        Rule(When(committed=True, nth=2), Cut(Side.BEFORE)),
        Rule(When(sql="insert into orders"), Error("40001"), "named"),
        Rule(When(tag="COMMIT", status=Status.IDLE, nth=2, times=4), Cut(Side.AFTER, reset=True)),
        Rule(When(("CopyData",), StreamDirection.DOWNSTREAM), Truncate(3)),
        Rule(When(commits=True, scope=Scope(ScopeKind.NTH, 2)), Delay(5)),
        Rule(When(("Query",), application_name="shop", pid=7), Stall()),
        Rule(When(("CancelRequest",)), Swallow()),
    ],
)
def test_a_rule_is_read_as_it_was_written(rule: Rule) -> None:
    assert Rule.from_json(json.loads(json.dumps(rule.to_json()))) == rule


def test_a_message_without_a_text_says_what_postgresql_says() -> None:
    assert Error("53300") == Error("53300", message="sorry, too many clients already")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: When(("Quary",)), "Did you mean 'Query'?"),
        (When, "when.message must be"),
        (lambda: Rule(When(("DataRow",)), Error("40001")), "never a reply"),
        (lambda: Error("4000"), "not the SQLSTATE"),
        (lambda: Truncate(-1), "0 or more"),
    ],
)
def test_a_rule_that_cannot_match_cannot_be_made(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        make()


def test_names_of_messages_are_of_one_kind_in_a_direction() -> None:
    for names in (FRONTEND, BACKEND):
        assert len(set(names.values())) == len(names)
