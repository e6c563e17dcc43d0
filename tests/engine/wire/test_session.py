"""A session is known by watching it: which statement each message carries or answers."""

import pytest

from brownout.engine.wire.statements import NAMES_MOST
from tests.engine.wire.messages import (
    CANCEL,
    EXECUTE,
    FLUSH,
    GSSENC_REQUEST,
    SSL_REQUEST,
    SYNC,
    bind,
    close,
    complete,
    describe,
    error,
    execute,
    message,
    parse,
    query,
    ready,
    startup,
)
from tests.engine.wire.watched import Watched

PARSED, BOUND, CLOSED = message("1"), message("2"), message("3")


@pytest.fixture
def watched() -> Watched:
    one = Watched()
    one.asks(startup(user="u", application_name="shop"))
    one.answers(message("R", b"\0\0\0\0") + message("K", b"\0\0\x12\x34key!") + ready())
    return one


def test_what_encrypts_a_connection_is_declined_and_does_not_reach_the_server() -> None:
    watched = Watched()
    watched.asks(GSSENC_REQUEST)
    watched.asks(SSL_REQUEST)
    watched.asks(startup(user="u"))
    assert bytes(watched.client.got) == b"NN"
    assert bytes(watched.server.got) == startup(user="u")
    assert [one.type for one in watched.events()] == [
        "GSSENCRequest",
        "SSLRequest",
        "StartupMessage",
    ]


@pytest.mark.parametrize("version", [3 << 16, (3 << 16) + 2])
def test_the_start_says_who_is_there(version: int) -> None:
    watched = Watched()
    watched.asks(startup(version, user="u", application_name="shop"))
    watched.answers(message("K", b"\0\0\x12\x34" + b"k" * 200) + ready())
    session = watched.wire.session
    assert (session.application_name, session.pid, session.status) == ("shop", 0x1234, "I")


def test_an_application_name_that_is_changed_is_followed(watched: Watched) -> None:
    watched.answers(message("S", b"application_name\0worker\0"))
    assert watched.wire.session.application_name == "worker"


def test_a_cancel_request_passes(watched: Watched) -> None:
    watched = Watched()
    watched.asks(CANCEL)
    assert bytes(watched.server.got) == CANCEL
    assert [one.type for one in watched.events()] == ["CancelRequest"]


def test_a_statement_that_was_parsed_long_ago_is_known_at_execute(watched: Watched) -> None:
    watched.asks(parse("select 1", "a") + SYNC)
    watched.answers(PARSED + ready())
    for _ in range(3):
        watched.asks(parse("select 2") + bind() + EXECUTE + SYNC)
        watched.answers(PARSED + BOUND + complete("SELECT 1") + ready())
    watched.asks(bind("a") + EXECUTE + SYNC)
    watched.answers(BOUND + message("D", b"\0\0") + complete("SELECT 1") + ready())
    assert watched.seen()[-7:] == [
        ("Bind", "select 1", None, "I"),
        ("Execute", "select 1", None, "I"),
        ("Sync", None, None, "I"),
        ("BindComplete", "select 1", None, "I"),
        ("DataRow", "select 1", None, "I"),
        ("CommandComplete", "select 1", "SELECT 1", "I"),
        ("ReadyForQuery", "select 1", None, "I"),
    ]


@pytest.mark.parametrize(
    "ends",
    [
        close("S", "a") + SYNC,
        query("DISCARD ALL"),
        query("DEALLOCATE ALL"),
        query("deallocate a"),
        query('DEALLOCATE PREPARE "a"'),
    ],
)
def test_a_statement_that_was_closed_is_forgotten(watched: Watched, ends: bytes) -> None:
    watched.asks(parse("select 1", "a") + SYNC)
    watched.answers(PARSED + ready())
    watched.asks(ends)
    if ends.startswith(b"C"):
        watched.answers(CLOSED + ready())
    else:
        words = ends[5:-1].decode().upper()
        tag = words if words in ("DISCARD ALL", "DEALLOCATE ALL") else "DEALLOCATE"
        watched.answers(complete(tag) + ready())
    watched.asks(bind("a"))
    assert watched.events()[-1].sql is None
    assert len(watched.wire.session.statements) == 0


@pytest.mark.parametrize("words", ["DISCARD ALL", "DEALLOCATE ALL"])
def test_what_was_parsed_behind_a_discard_stays(watched: Watched, words: str) -> None:
    watched.asks(parse("select 1", "old") + parse("select 2", "new") + SYNC)
    watched.answers(PARSED + PARSED + ready())
    watched.asks(query(words) + parse("select 3", "new") + describe("S", "new") + SYNC)
    watched.answers(complete(words) + ready())
    watched.answers(PARSED + message("n") + ready())
    watched.asks(bind("new") + EXECUTE + SYNC + bind("old"))
    asked = [(one.type, one.sql) for one in watched.events()[-4:]]
    assert asked == [
        ("Bind", "select 3"),
        ("Execute", "select 3"),
        ("Sync", None),
        ("Bind", None),
    ]


def test_a_parse_that_fails_behind_a_discard_leaves_no_name_of_before(watched: Watched) -> None:
    watched.asks(parse("select 1", "a") + SYNC)
    watched.answers(PARSED + ready())
    watched.asks(query("DISCARD ALL") + parse("selekt 2", "a") + parse("select 3", "a") + SYNC)
    watched.answers(complete("DISCARD ALL") + ready() + error("42601") + ready())
    watched.asks(bind("a"))
    assert watched.events()[-1].sql is None
    assert len(watched.wire.session.statements) == 0


def test_a_portal_whose_bind_waits_behind_a_ready_is_known_at_execute(watched: Watched) -> None:
    watched.asks(query("select 1") + parse("select 2") + bind(portal="p"))
    watched.answers(complete("SELECT 1") + ready())
    watched.asks(execute("p") + SYNC)
    assert ("Execute", "select 2", None, "I") in watched.seen()
    watched.answers(PARSED + BOUND + complete("SELECT 1") + ready())
    watched.asks(execute("p"))
    assert watched.events()[-1].sql is None


def test_statements_without_end_leave_the_latest(watched: Watched) -> None:
    for number in range(NAMES_MOST + 10):
        watched.asks(parse(f"select {number}", f"s{number}") + SYNC)
        watched.answers(PARSED + ready())
    assert len(watched.wire.session.statements) == NAMES_MOST
    watched.asks(bind(f"s{NAMES_MOST + 9}"))
    assert watched.events()[-1].sql == f"select {NAMES_MOST + 9}"


def test_an_error_skips_to_sync_and_what_was_skipped_never_was(watched: Watched) -> None:
    watched.asks(parse("select 1") + SYNC)
    watched.answers(PARSED + ready())
    watched.asks(bind() + EXECUTE + parse("select 2") + bind() + SYNC + bind() + EXECUTE + SYNC)
    watched.answers(error("22012") + ready() + BOUND + complete("SELECT 1") + ready())
    assert watched.seen()[-5:] == [
        ("ErrorResponse", "select 1", "22012", "I"),
        ("ReadyForQuery", None, None, "I"),
        ("BindComplete", "select 2", None, "I"),  # what its Bind carried when it went by
        ("CommandComplete", "select 2", "SELECT 1", "I"),
        ("ReadyForQuery", "select 2", None, "I"),
    ]
    watched.asks(bind())
    assert watched.events()[-1].sql == "select 1"


def test_a_pipeline_is_answered_request_by_request(watched: Watched) -> None:
    watched.asks(
        parse("a") + bind() + EXECUTE + parse("b") + bind() + describe("P") + EXECUTE + FLUSH
    )
    watched.answers(PARSED + BOUND + complete("A") + PARSED + BOUND + message("n"))
    watched.asks(SYNC)
    watched.answers(complete("B") + ready())
    replies = [one.sql for one in watched.events() if one.direction == "downstream"][3:]
    assert replies == ["a", "a", "a", "b", "b", "b", "b", "b"]
    assert not watched.wire.session.pending


def test_several_statements_in_one_query_are_one_request(watched: Watched) -> None:
    watched.asks(query("begin; select 1"))
    watched.answers(complete("BEGIN") + message("T", b"\0\0") + complete("SELECT 1") + ready("T"))
    assert [one.sql for one in watched.events()[-4:-1]] == ["begin; select 1"] * 3
    assert watched.wire.session.status == "T"


def test_copy_in_swallows_the_sync_that_was_sent_before_it_began(watched: Watched) -> None:
    watched.asks(parse("copy t from stdin") + bind() + EXECUTE + SYNC)
    watched.answers(PARSED + BOUND + message("G", b"\0\0\0"))
    watched.asks(message("d", b"1\n") + message("c") + SYNC)
    watched.asks(query("select 1"))
    watched.answers(complete("COPY 1") + ready() + complete("SELECT 1") + ready())
    assert [one.sql for one in watched.events()[-4:]] == [
        "copy t from stdin",
        "copy t from stdin",
        "select 1",
        "select 1",
    ]
    assert not watched.wire.session.pending


def test_a_copy_that_fails_is_over(watched: Watched) -> None:
    watched.asks(parse("copy t from stdin") + bind() + EXECUTE + SYNC)
    watched.answers(PARSED + BOUND + message("G", b"\0\0\0") + error("22P04"))
    watched.asks(message("d", b"1\n") + message("c") + SYNC)
    watched.answers(ready())
    assert not watched.wire.session.pending
    assert not watched.wire.session.skipping


def test_parameters_are_in_no_event(watched: Watched) -> None:
    watched.asks(parse("select $1") + bind() + EXECUTE + SYNC)
    assert "secret" not in repr(watched.events())
