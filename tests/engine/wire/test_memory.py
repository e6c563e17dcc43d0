"""What the engine remembers is bounded, by connection and in all, and given back."""

import socket
from collections.abc import Callable
from contextlib import ExitStack

import psutil
import pytest

from brownout.control import EngineClient, EngineProcess, ProxyRecord
from brownout.engine.wire.memory import StatementMemory
from brownout.engine.wire.session import PENDING_TEXT_MOST, ProtocolState
from brownout.engine.wire.sql import SQL_KEPT, SqlTexts
from brownout.engine.wire.statements import NAMES_MOST, NAMES_TEXT_MOST, Names
from tests.engine.peers import Upstream, connect, read, soon
from tests.engine.wire.messages import bind, error, message, parse, query, ready, startup
from tests.engine.wire.watched import Watched

GREETED = message("R", b"\0\0\0\0") + ready()
_TEXT = "x" * (SQL_KEPT - 10)


@pytest.fixture
def memory() -> StatementMemory:
    return StatementMemory(limit=4 << 20)


@pytest.fixture
def state(memory: StatementMemory) -> ProtocolState:
    return ProtocolState(1, SqlTexts(memory))


def _ask(state: ProtocolState, request: bytes) -> None:
    state.asking[request[0]](request, 5, len(request))


def test_a_statement_counts_while_it_is_known(memory: StatementMemory) -> None:
    texts = SqlTexts(memory)
    sql = texts.intern(b"select 1")
    assert memory.used == sql.size
    del sql
    texts.forget()
    assert memory.used == 0


@pytest.mark.parametrize("text", ["", "x" * SQL_KEPT], ids=["short", "long"])
def test_what_a_proxy_knows_of_statements_that_are_all_different_is_bounded(text: str) -> None:
    """Also where they are so short that they take little beside what is kept with each."""
    memory = StatementMemory()
    texts = SqlTexts(memory)
    most = 0
    for number in range(60_000 if not text else 3_000):
        texts.intern(f"{number}{text}".encode())
        most = max(most, memory.used)
    assert 8 << 20 <= most < 9 << 20


@pytest.mark.parametrize("request_of", [query, parse])
def test_statements_without_a_reply_are_bounded(
    request_of: Callable[[str], bytes],
) -> None:
    memory = StatementMemory()
    state = ProtocolState(1, SqlTexts(memory))
    for number in range(2 * PENDING_TEXT_MOST // SQL_KEPT):
        _ask(state, request_of(f"{number:08}{_TEXT}"))
        assert memory.used < 3 * PENDING_TEXT_MOST
        if state.opaque is not None:
            break
    assert state.opaque == f"more than {PENDING_TEXT_MOST} bytes of statements without a reply"
    state._texts.forget()
    assert memory.used == 0


def test_many_small_requests_without_a_reply_are_counted(
    state: ProtocolState, memory: StatementMemory
) -> None:
    _ask(state, parse("select 1", "s"))
    while state.opaque is None:
        _ask(state, bind("s"))
        assert len(state.pending) < 30_000
    assert state.opaque == "the engine remembers too many statements already"
    state._texts.forget()
    assert memory.used == 0


def test_what_all_connections_need_together_is_bounded_and_given_back(
    memory: StatementMemory,
) -> None:
    texts = SqlTexts(memory)
    states = [ProtocolState(number, texts) for number in range(8)]
    for number in range(800):
        _ask(states[number % 8], query(f"{number:08}{_TEXT}"))
        assert memory.used < 5 << 20
    followed = [state for state in states if state.opaque is None]
    assert len(followed) < 8
    for state in states:
        state.forget()
    texts.forget()
    assert memory.used == 0
    late = ProtocolState(9, texts)
    _ask(late, query("select 1"))
    assert late.opaque is None


@pytest.mark.parametrize("reply", [ready(), error("40001") + ready()])
def test_what_has_its_reply_counts_no_more(
    state: ProtocolState, memory: StatementMemory, reply: bytes
) -> None:
    for number in range(20_000):
        _ask(state, query(f"{number}{_TEXT}"))
        pos = 0
        while pos < len(reply):
            end = pos + 1 + int.from_bytes(reply[pos + 1 : pos + 5], "big")
            state.answering[reply[pos]](reply, pos + 5, end)
            pos = end
        if not number % 1000:
            state._texts.forget()
    assert state.opaque is None
    assert state._text_waiting == 0
    state._texts.forget()
    assert memory.used == 0


def test_prepared_statements_are_bounded_in_number_and_size() -> None:
    texts, names = SqlTexts(StatementMemory()), Names()
    for number in range(2 * NAMES_MOST):
        names.put(b"%d" % number, texts.intern(b"%d%s" % (number, _TEXT.encode())))
        names.put(b"portal %d" % number, None)
        assert len(names) <= NAMES_MOST
        assert names._size <= NAMES_TEXT_MOST + 2 * SQL_KEPT
    for number in range(2 * NAMES_MOST):
        names.forget(b"%d" % number)
    assert names._size == 0


def test_a_shortage_takes_what_is_only_remembered_first(memory: StatementMemory) -> None:
    watched = Watched()
    record, texts = watched.rules.record, SqlTexts(memory)
    assert record is not None
    for number in range(3 * (4 << 20) // SQL_KEPT):
        texts.intern(f"{number:08}{_TEXT}".encode())
        assert memory.has_room(0)


@pytest.fixture
def framed(make_proxy: Callable[..., ProxyRecord], upstream: Upstream) -> ProxyRecord:
    return make_proxy(upstream.address, protocol="postgresql")


def test_unanswered_statements_of_one_connection_take_little_and_are_given_back(
    framed: ProxyRecord, upstream: Upstream, engine: EngineProcess, client: EngineClient
) -> None:
    process = psutil.Process(engine.pid)
    before = process.memory_full_info().uss
    sent = [query(f"{number:08}{_TEXT}") for number in range(20_000)]
    with ExitStack() as stack:
        caller: socket.socket = stack.enter_context(connect(framed))
        server = stack.enter_context(upstream.accept())
        caller.sendall(startup(user="u"))
        read(server, len(startup(user="u")))
        server.sendall(GREETED)
        read(caller, len(GREETED))
        most = 0
        for place in range(0, len(sent), 50):
            data = b"".join(sent[place : place + 50])
            caller.sendall(data)
            assert read(server, len(data)) == data
            most = max(most, process.memory_full_info().uss - before)
        assert most < 64 << 20
    assert soon(lambda: process.memory_full_info().uss - before < 24 << 20)
    assert client.version()
