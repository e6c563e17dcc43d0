"""What one write has written is a register that is set once; a read of it does not go back."""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations, permutations
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from brownout import BrownoutError, NotAssessable, Operation
from brownout.declaration.needs import read_back
from brownout.declaration.pairs import Pair
from brownout.errors import SettingsError
from brownout.expectations import expect_none_goes_back
from brownout.expectations.registers import Register, Span
from tests.core.made import service
from tests.core.register_controls import BY_ID, BY_TOKEN, PLACE, found

# -- the checker, beside a search among all orders -------------------------------------------------


def linearizable(register: Register) -> bool:
    """Whether some order of the requests explains what the reads have shown: each takes effect at
    one moment while it is under way; a write without success later, or never."""
    told = [one for one in register.sent if one in register.acknowledged]
    late = [Span(one.started, 99) for one in register.sent if one not in register.acknowledged]
    reads = [("present", one) for one in register.present]
    reads += [("absent", one) for one in register.absent]
    for carried_out in chain.from_iterable(combinations(late, n) for n in range(len(late) + 1)):
        requests = [*reads, *(("write", one) for one in (*told, *carried_out))]
        if any(map(_explains, permutations(requests))):
            return True
    return False


def _explains(order: Sequence[tuple[str, Span]]) -> bool:
    there = False
    latest = float("-inf")
    for kind, span in order:
        latest = max(latest, span.started)
        if latest > span.finished:
            return False  # it would take effect before one that had begun after its end
        if kind == "write":
            there = True
        elif there != (kind == "present"):
            return False
    return True


def spans(first: int) -> st.SearchStrategy[list[Span]]:
    """Requests that begin and end at whole seconds."""
    moments = st.tuples(st.integers(first, 6), st.integers(0, 3))
    return st.lists(moments.map(lambda one: Span(one[0], one[0] + one[1])), max_size=2)


@st.composite
def registers(draw: st.DrawFn) -> Register:
    """What may be seen of one write that was sent once or twice."""
    sent = [Span(2, 2 + draw(st.integers(0, 3))), *draw(spans(2))][:2]
    acknowledged = [one for one in sent if draw(st.booleans())]
    return Register(sent, acknowledged, draw(spans(0)), draw(spans(0)))


@given(registers())
def test_a_fault_is_seen_exactly_where_no_order_of_the_requests_explains_the_reads(
    register: Register,
) -> None:
    explained = linearizable(register)
    event(f"explained: {explained}")
    assert (register.fault() == "") is explained


def test_the_search_that_the_checker_is_compared_with_knows_both() -> None:
    write = Span(0, 1)
    assert linearizable(Register([write], [write], [Span(2, 3)]))
    assert not linearizable(Register([write], [write], [], [Span(2, 3)]))


@pytest.mark.parametrize(
    ("register", "said"),
    [
        (Register([Span(0, 1)], [Span(0, 1)], absent=[Span(1.5, 2)]), "0.500 s after its success"),
        (
            Register([Span(0, 9)], present=[Span(1, 2)], absent=[Span(3, 4)]),
            "1.000 s after it was shown",
        ),
        (Register([Span(5, 9)], present=[Span(1, 2)]), "before it was sent"),
        (Register([Span(0, 1)], present=[Span(1, 2)], left=False), "not in the database"),
    ],
)
def test_a_fault_says_what_cannot_be(register: Register, said: str) -> None:
    assert said in register.fault()


# -- answers --------------------------------------------------------------------------------------


def test_a_read_that_repeats_what_it_was_asked_for_proves_nothing() -> None:
    echo = found("z", at=4.0, token="z")  # noqa: S106 - it opens nothing
    with pytest.raises(BrownoutError, match="find shows a token that was never sent"):
        expect_none_goes_back([BY_TOKEN], [echo], {})


@pytest.mark.parametrize(
    ("pair", "status", "body", "shown"),
    [
        (BY_TOKEN, 200, b'[{"name": "a1"}]', True),
        (BY_TOKEN, 200, b"[]", False),
        (BY_TOKEN, 404, b"there is no a1", False),
        (BY_TOKEN, 503, b"a1 cannot be read", None),
        (BY_TOKEN, None, b"", None),
        (BY_ID, 200, b"{}", True),
        (BY_ID, 200, b'{"data": null, "errors": [{"message": "x"}]}', None),
        (BY_ID, 410, b"", False),
        (BY_ID, 500, b"", None),
    ],
)
def test_an_answer_shows_the_write_or_not_or_says_nothing_of_it(
    pair: Pair, status: int | None, body: bytes, shown: bool | None
) -> None:
    assert pair.shown(status, body, "a1") is shown


# -- declarations ---------------------------------------------------------------------------------


def test_the_pairs_of_a_declaration_are_found() -> None:
    assert read_back(service([PLACE, BY_TOKEN.read, BY_ID.read])) == (BY_TOKEN, BY_ID)
    assert [BY_TOKEN.by_token, BY_ID.by_token] == [True, False]
    with pytest.raises(NotAssessable, match="No read declares reads_back"):
        read_back(service([PLACE]))


def _wrong() -> Iterator[Any]:
    yield Operation.read("x", "GET", "/{token}", reads_back="plaice"), "Did you mean 'place'?"
    yield Operation.read("x", "GET", "/{token}", reads_back="find"), "not a declared write"
    yield Operation.read("x", "GET", "/things", reads_back="place"), "does not say which"


@pytest.mark.parametrize(("read", "said"), list(_wrong()))
def test_a_pair_that_cannot_be_is_refused(read: Operation, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        service([PLACE, BY_TOKEN.read, read])
    assert said in str(refused.value)
