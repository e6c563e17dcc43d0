"""However the bytes are cut, the same messages are seen and the same bytes come out."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brownout.engine.direction import StreamDirection
from brownout.engine.wire.actions import Delay, Swallow
from brownout.engine.wire.events import Event
from brownout.engine.wire.messages import BACKEND, FRONTEND
from brownout.engine.wire.rules import Rule
from brownout.engine.wire.session import PENDING_MOST
from brownout.engine.wire.when import When
from tests.engine.wire.messages import (
    EXECUTE,
    GSSENC_REQUEST,
    SSL_REQUEST,
    SYNC,
    bind,
    close,
    complete,
    describe,
    error,
    message,
    parse,
    query,
    ready,
    startup,
)
from tests.engine.wire.watched import Watched

UP, DOWN = StreamDirection.UPSTREAM, StreamDirection.DOWNSTREAM
OPENED = startup(user="u", application_name="shop")

names = st.sampled_from(["", "a", "b", "n" * 70])
statements = st.sampled_from(["select 1", "commit", "insert into t values (1)", "x" * 9000, ""])
requests = st.one_of(
    st.builds(parse, statements, names),
    st.builds(bind, names, names),
    st.just(EXECUTE),
    st.just(SYNC),
    st.builds(describe, st.sampled_from("SP"), names),
    st.builds(close, st.sampled_from("SP"), names),
    st.builds(query, statements),
    st.builds(message, st.sampled_from("HFdcfpX"), st.binary(max_size=300)),
)
replies = st.one_of(
    st.builds(complete, st.sampled_from(["SELECT 1", "COMMIT", "DISCARD ALL", "DEALLOCATE"])),
    st.builds(ready, st.sampled_from("ITE")),
    st.builds(error, st.sampled_from(["40001", "42703"]), st.text("ab", max_size=900)),
    st.builds(message, st.sampled_from("123nstTDdcAGHWVSKRv"), st.binary(max_size=300)),
)
cuts = st.lists(st.integers(1, 40), min_size=1, max_size=40)


def _all(direction: StreamDirection, name: str) -> Rule:
    kinds = FRONTEND if direction is UP else BACKEND
    messages = tuple(message for kind, message in kinds.items() if kind > 32)
    do = Swallow() if name == "swallow" else Delay(1)
    return Rule(When(messages, direction, nth=2, times=3), do, name)


RULES: Sequence[Sequence[Rule]] = [
    (),
    (_all(UP, "swallow"),),
    (_all(DOWN, "swallow"),),
    (_all(UP, "delay"), _all(DOWN, "swallow")),
]


def _pieces(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    pieces, place, number = [], 0, 0
    while place < len(data):
        size = sizes[number % len(sizes)]
        pieces.append(data[place : place + size])
        place, number = place + size, number + 1
    return pieces


def _outcome(
    conversation: Sequence[tuple[StreamDirection, bytes]],
    rules: Sequence[Rule],
    sizes: Sequence[int],
) -> tuple[list[Event], bytes, bytes]:
    watched = Watched(*rules)
    for direction, data in [(UP, OPENED), *conversation]:
        for piece in _pieces(data, sizes) if sizes else [data]:
            if direction is UP:
                watched.asks(piece)
            else:
                watched.answers(piece)
        for side in (watched.server, watched.client):
            while side.waiting:
                side.waiting.pop(0)()
    assert watched.server.consumed == watched.fed[UP]
    assert watched.client.consumed == watched.fed[DOWN]
    events = [replace(event, time=0.0) for event in watched.events()]
    return events, bytes(watched.server.got), bytes(watched.client.got)


@settings(deadline=None)  # the machine may be busy
@given(
    conversation=st.lists(
        st.one_of(
            st.tuples(st.just(UP), st.lists(requests, min_size=1, max_size=5).map(b"".join)),
            st.tuples(st.just(DOWN), st.lists(replies, min_size=1, max_size=5).map(b"".join)),
        ),
        max_size=8,
    ),
    rules=st.sampled_from(RULES),
    sizes=cuts,
)
def test_cuts_change_nothing(
    conversation: list[tuple[StreamDirection, bytes]], rules: Sequence[Rule], sizes: list[int]
) -> None:
    whole = _outcome(conversation, rules, ())
    assert _outcome(conversation, rules, sizes) == whole
    if not rules:
        assert whole[1] == OPENED + b"".join(data for way, data in conversation if way is UP)
        assert whole[2] == b"".join(data for way, data in conversation if way is DOWN)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=200))), st.booleans())
def test_garbage_passes_untouched_and_raises_nothing(
    pieces: list[tuple[bool, bytes]], opened: bool
) -> None:
    watched = Watched()
    if opened:
        watched.asks(OPENED)
    for up, data in pieces:
        if up:
            watched.asks(data)
        else:
            watched.answers(data)
    watched.wire.up.flush()
    watched.wire.down.flush()
    asked = b"".join(data for up, data in pieces if up)
    answered = b"".join(data for up, data in pieces if not up)
    if opened or not asked.startswith((SSL_REQUEST, GSSENC_REQUEST)):
        assert bytes(watched.server.got) == (OPENED if opened else b"") + asked
        assert bytes(watched.client.got) == answered


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (b"G", "no PostgreSQL start-up"),
        (b"\x16\x03\x01", "encrypted"),
        (b"\0\0\0", None),
        (b"\0\0\x27\x11\0\3", None),
        (b"\0\0\x27\x11\0\3\0\0", "no PostgreSQL start-up"),
        (b"\0\0\0\x08\0\0\0\0", "no PostgreSQL start-up"),
        (b"\x7f\xff\xff\xff", "no PostgreSQL start-up"),
    ],
)
def test_another_protocol_is_known_by_its_first_bytes(first: bytes, reason: str | None) -> None:
    watched = Watched()
    watched.asks(first)
    opaque = watched.wire.session.opaque
    assert opaque is None if reason is None else opaque is not None and reason in opaque
    assert bytes(watched.server.got) == (b"" if reason is None else first)


def test_a_server_that_speaks_first_is_no_postgresql_and_what_was_held_goes_on() -> None:
    watched = Watched()
    watched.asks(b"\0\0")
    watched.answers(b"220 mail.example\r\n")
    assert watched.wire.session.opaque == "the server speaks first"
    assert bytes(watched.server.got) == b"\0\0"
    assert bytes(watched.client.got) == b"220 mail.example\r\n"


@pytest.mark.parametrize("length", [0, 3, 2**31, 0x40000000])
def test_a_length_that_cannot_be_makes_the_rest_opaque(length: int) -> None:
    watched = Watched()
    watched.asks(OPENED)
    bad = b"Q" + length.to_bytes(4, "big") + b"rest"
    watched.asks(query("select 1") + bad)
    watched.asks(query("select 2"))
    assert f"length {length}" in (watched.wire.session.opaque or "")
    assert bytes(watched.server.got) == OPENED + query("select 1") + bad + query("select 2")


def test_a_message_of_a_gigabyte_is_not_kept() -> None:
    watched = Watched(Rule(When(("CopyData",), UP, nth=10), Swallow(), "r"))
    watched.asks(OPENED)
    watched.asks(b"d" + (0x3FFFFFFF).to_bytes(4, "big") + b"x" * 100_000)
    assert watched.server.consumed == watched.fed[UP]


def test_requests_that_nobody_answers_end_the_following() -> None:
    watched = Watched(record=False)
    watched.asks(OPENED)
    watched.asks(SYNC * (PENDING_MOST + 2))
    assert "without a reply" in (watched.wire.session.opaque or "")
    assert bytes(watched.server.got) == OPENED + SYNC * (PENDING_MOST + 2)
