"""What travels is what comes, and every arrival is one load worker's."""

import json
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from brownout.distributed.messages import (
    BATCH,
    Answered,
    Arrival,
    Order,
    batches,
    divided,
    packed,
    proof_of,
    unpacked,
)

MEBIBYTE = 1024 * 1024


def arrival(number: int, due: float = 0.0, body: bytes = b"") -> Arrival:
    return Arrival(number, due, "POST", "/x?y=%C3%A9", (("Host", "h"), ("X-É", "ÿ")), body)


def carried(one: Arrival | Answered) -> list[Any]:
    """What comes of it by msgpack, which has no tuples."""
    *plain, headers, body = packed(one)
    return [*plain, [list(pair) for pair in headers], body]


def test_what_locust_carries_comes_as_it_was() -> None:
    sent = arrival(1, 0.25, b"\xff\x00")
    assert unpacked(Arrival, carried(sent)) == sent
    answered = Answered(7, 0.5, 1.5, "ANSWERED", 200, (("A", "1"), ("A", "2")), b"\xff\x00")
    assert unpacked(Answered, carried(answered)) == answered


def test_an_order_passes_the_pipe_as_it_was() -> None:
    order = Order("127.0.0.1", 80, 3.0, (arrival(0), arrival(1, 0.25, b"\xff\x00")))
    assert Order.from_json(json.loads(json.dumps(order.to_json()))) == order


def test_headers_and_bodies_are_not_in_a_representation() -> None:
    order = Order("127.0.0.1", 80, 3.0, (arrival(1, 0.25, b"hunter2"),))
    assert "hunter2" not in repr(order)
    assert "X-É" not in repr(order)


@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3])), st.integers(1, 7))
def test_each_arrival_is_one_worker_s_and_those_due_together_are_shared(
    dues: list[float], workers: int
) -> None:
    arrivals = [arrival(number, due) for number, due in enumerate(dues)]
    parts = divided(arrivals, workers)
    assert len(parts) == workers
    assert sorted(one.number for part in parts for one in part) == list(range(len(dues)))
    for part in parts:
        assert [one.due for one in part] == sorted(one.due for one in part)
    for due in set(dues):
        counts = [Counter(one.due for one in part)[due] for part in parts]
        assert max(counts) - min(counts) <= 1


def test_a_message_is_bounded_by_count_and_by_size() -> None:
    many = [arrival(number) for number in range(2 * BATCH + 1)]
    assert [len(batch) for batch in batches(many)] == [BATCH, BATCH, 1]
    large = [arrival(number, body=bytes(MEBIBYTE // 2)) for number in range(3)]
    assert [len(batch) for batch in batches(large)] == [2, 1]
    huge = [arrival(number, body=bytes(2 * MEBIBYTE)) for number in range(2)]
    assert [len(batch) for batch in batches(huge)] == [1, 1]
    assert list(batches([])) == []


def test_only_the_key_answers_a_challenge() -> None:
    assert proof_of("a key", b"once") == proof_of("a key", b"once")
    assert proof_of("a key", b"once") != proof_of("another", b"once")
    assert proof_of("a key", b"once") != proof_of("a key", b"twice")
