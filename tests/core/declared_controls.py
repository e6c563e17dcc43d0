"""What judgements on declared features must accept and reject."""

from functools import partial

from brownout import Answer, Completion, Errors, Operation
from brownout.expectations import (
    expect_completed_with_key,
    expect_distinct_origins,
    expect_invariants,
    expect_one_at_a_time,
    expect_origins,
    expect_same_answer,
    expect_used_key_refused,
)
from brownout.trial import Invariant
from brownout.units import seconds
from tests.core.judgements import Controls
from tests.core.made import GRAPHQL, WRITE, answer, no_answer, problem

__all__ = ["DECLARED_CONTROLS"]

ERRORS = Errors(origin="origin")
UNCOUNTED = Operation.write("place", "POST", "/things")
FIRST = answer(201, json={"id": 7, "lines": [{"sku": "tea"}], "placed_at": "1"}, operation=WRITE)
SAME = answer(201, json={"lines": [{"sku": "tea"}], "id": 7, "placed_at": "2"}, operation=WRITE)
OTHER = answer(201, json={"id": 8, "lines": [{"sku": "tea"}]}, operation=WRITE)
BUSY = problem(409)
SILENT = no_answer(Completion.NO_ANSWER, operation=WRITE)


def named(origin: str, status: int = 503) -> Answer:
    return problem(status, origin=origin, trace_id="a1")


def completed(*again: int | None, first: int | None = 504, others: int = 201, **at: object) -> None:
    """A write that was first answered so, and again with these statuses once a second, at an RTO of
    two seconds; None: not at all. Another one was asked for only once."""

    def told(status: int | None, started: float) -> Answer:
        if status is None:
            return no_answer(Completion.NO_ANSWER, operation=WRITE, started=started)
        return answer(status, operation=WRITE, started=started, **at)  # type: ignore[arg-type]

    asked = [told(status, 130.0 + number) for number, status in enumerate(again)]
    other = answer(others, operation=WRITE, token="o")  # noqa: S106 - it opens nothing
    expect_completed_with_key([told(first, 101.0), other, *asked], asked, seconds(2))


DECLARED_CONTROLS = {
    "expect_completed_with_key": Controls(
        kept=[
            lambda: completed(201),
            # Its first request ended a moment later, or the mark expired within RTO.
            lambda: completed(409, 409, 201),
            lambda: completed(201, first=None),
        ],
        broken=[
            lambda: completed(409, 409, 409),
            lambda: completed(409, 409, 409, first=None),
            lambda: completed(425, 425, 425, first=500),
            lambda: completed(409, 409, 409, headers={"Retry-After": "1"}),
        ],
        nothing=[
            completed,
            # It was not asked for until RTO was over.
            lambda: completed(409, 409),
            # It says so of longer, or gives each key the refusal of its first request.
            lambda: completed(409, 409, 409, headers={"Retry-After": "60"}),
            lambda: completed(409, 409, 409, others=409),
            lambda: completed(500, 500, 500, first=500),
            lambda: completed(503, 503, 503, first=None),
            lambda: completed(None, None, None),
        ],
    ),
    "expect_distinct_origins": Controls(
        kept=[lambda: expect_distinct_origins([named("request", 404)], [named("pool")], ERRORS)],
        broken=[
            lambda: expect_distinct_origins(
                [named("shop", 404), named("request", 422)], [named("shop")], ERRORS
            ),
        ],
        nothing=[
            lambda: expect_distinct_origins([named("a")], [named("a")], Errors()),
            lambda: expect_distinct_origins([], [named("a")], ERRORS),
            lambda: expect_distinct_origins([named("a")], [answer()], ERRORS),
        ],
    ),
    "expect_invariants": Controls(
        kept=[lambda: expect_invariants({"place": Invariant(("[(0,)]",), 9)})],
        broken=[
            lambda: expect_invariants(
                {"place": Invariant(("0",), 9), "move": Invariant(("0", "1"), 9)}
            )
        ],
        nothing=[
            lambda: expect_invariants({}),
            lambda: expect_invariants({"place": Invariant(("0",), 1)}),
        ],
    ),
    "expect_one_at_a_time": Controls(
        kept=[
            lambda: expect_one_at_a_time([FIRST, BUSY]),
            lambda: expect_one_at_a_time([BUSY, FIRST]),
            lambda: expect_one_at_a_time([FIRST, SAME]),
            lambda: expect_one_at_a_time([FIRST, GRAPHQL]),
        ],
        broken=[
            lambda: expect_one_at_a_time([FIRST, OTHER]),
            lambda: expect_one_at_a_time([FIRST, problem(500)]),
            lambda: expect_one_at_a_time([FIRST, SILENT]),
            lambda: expect_one_at_a_time([BUSY, BUSY]),
            lambda: expect_one_at_a_time([GRAPHQL, GRAPHQL]),
        ],
        nothing=[lambda: expect_one_at_a_time([])],
    ),
    "expect_origins": Controls(
        kept=[
            lambda: expect_origins([answer(), named("pool"), named("request", 404)], ERRORS),
            lambda: expect_origins([problem(500, place="x")], Errors(origin="place", trace=None)),
            lambda: expect_origins(
                [problem(500, error={"at": "x", "id": "a1"})],
                Errors(origin="error.at", trace="error.id"),
            ),
        ],
        broken=[
            lambda: expect_origins([named("pool"), problem(503, trace_id="a")], ERRORS),
            lambda: expect_origins([named("pool"), problem(503, origin="pool")], ERRORS),
            lambda: expect_origins([named("")], ERRORS),
            lambda: expect_origins([problem(503, origin=["pool"], trace_id="a")], ERRORS),
            lambda: expect_origins([answer(500, body=b"pool")], ERRORS),
        ],
        nothing=[
            lambda: expect_origins([], ERRORS),
            lambda: expect_origins([answer()], ERRORS),
            lambda: expect_origins([named("pool")], Errors()),
            lambda: expect_origins([named("a")], Errors(origin="a", media_type="text/plain")),
        ],
    ),
    "expect_same_answer": Controls(
        kept=[
            partial(expect_same_answer, FIRST, SAME, {"t": 1}, WRITE),
            partial(expect_same_answer, FIRST, SAME, {}, UNCOUNTED),
            partial(expect_same_answer, answer(body=b"7"), answer(body=b"7"), {"t": 1}, WRITE),
        ],
        broken=[
            partial(expect_same_answer, FIRST, OTHER, {"t": 1}, WRITE),
            partial(expect_same_answer, FIRST, SAME, {"t": 2}, WRITE),
            partial(expect_same_answer, FIRST, BUSY, {"t": 1}, WRITE),
            partial(expect_same_answer, FIRST, SILENT, {"t": 1}, WRITE),
            partial(expect_same_answer, answer(body=b"7"), answer(body=b"8"), {"t": 1}, WRITE),
        ],
        nothing=[],
    ),
    "expect_used_key_refused": Controls(
        kept=[
            partial(expect_used_key_refused, [problem(422)], {"t": 0}, WRITE),
            partial(expect_used_key_refused, [problem(422)], {}, UNCOUNTED),
        ],
        broken=[
            partial(expect_used_key_refused, [FIRST], {"t": 0}, WRITE),
            partial(expect_used_key_refused, [BUSY], {"t": 0}, WRITE),
            partial(expect_used_key_refused, [problem(422)], {"t": 1}, WRITE),
            partial(expect_used_key_refused, [GRAPHQL], {"t": 1}, WRITE),
        ],
        nothing=[
            partial(expect_used_key_refused, [], {}, WRITE),
            partial(expect_used_key_refused, [GRAPHQL], {"t": 0}, WRITE),
        ],
    ),
}
