"""Exchanges on the wire, made by hand, that judgements on retries must accept and reject."""

from dataclasses import replace
from functools import partial

from brownout import Answer
from brownout.expectations import (
    expect_back_off,
    expect_each,
    expect_few_attempts,
    expect_little_added_load,
    expect_never_repeated,
    expect_one_error_line,
    expect_one_retrying_layer,
    expect_retried,
    expect_retries_in_time,
    expect_unanswered_never_repeated,
    expect_whole_transactions,
)
from brownout.trial import Exchange, WireStep
from brownout.units import ms, seconds
from tests.core.judgements import Controls
from tests.core.made import TOKEN, answer, no_answer, problem

__all__ = ["RETRY_CONTROLS"]

FIND = "select id from orders where customer = $1"
PLACE = "insert into orders (customer) values ($1)"
NOTE = "insert into audit_log (action) values ($1)"
CALLS = (
    "select place_order($1, ?)",
    'SELECT id, created FROM shop."place order"($1)',
    "copy orders (customer) from stdin",
)
"""Statements that write, although not by their first word."""

GET = "select * from get_order($1)"
NEXT = "select nextval(?)"
TYPES = "select t.oid, t.typname from pg_catalog.pg_type t where t.oid = $1"
NOW = "select pg_catalog.now()"


def hit(*times: float, sql: str = PLACE, lines: int = 1, status: int = 503) -> Exchange:
    """One request that began at 100 s, whose attempts failed at these times after it."""
    steps = tuple(WireStep(100 + at, 1, sql, "T", hit=True) for at in times)
    return Exchange((answer(status, started=100.0, elapsed=ms(900)),), steps, lines)


def pauses(*milliseconds: float) -> Exchange:
    """A request with these pauses between its attempts."""
    times = [0.01]
    for pause in milliseconds:
        times.append(times[-1] + pause / 1000)
    return hit(*times)


def load(requests: int, attempts: int) -> Exchange:
    """Requests one millisecond apart, and attempts at the same times, by turns."""
    answers = tuple(
        answer(503, started=100 + number / 1000, elapsed=ms(0.5)) for number in range(requests)
    )
    steps = tuple(
        WireStep(100 + number * requests / attempts / 1000, 1, PLACE, "T", hit=True)
        for number in range(attempts)
    )
    return Exchange(answers, steps)


def sent(*steps: tuple[str, str] | tuple[str, str, int], status: int = 200) -> Exchange:
    """A request that sent these statements with these transaction states; `!` marks the hit."""
    made = []
    for number, (sql, state, *others) in enumerate(steps):
        session = others[0] if others else 1
        struck = sql.startswith("!")
        made.append(WireStep(100 + number, session, sql.lstrip("!"), state, hit=struck))
    return Exchange((answer(status, started=100.0),), tuple(made))


ONCE = sent(("begin", "I"), (PLACE, "T"), ("!commit", "T"), (FIND, "I", 2))
REPEATED, REFUSED = (
    sent(("begin", "I"), (PLACE, "T"), ("!commit", "T"), (PLACE, "T", 2), status=status)
    for status in (200, 500)
)
TWICE = sent(
    *(("begin", "I"), (PLACE, "T"), ("!commit", "T")),
    *(("begin", "I", 2), (PLACE, "T", 2), ("!commit", "T", 2)),
    status=504,
)
"""The fault takes the reply to the repetition, too, so it can only fail."""

PLAIN = [sent(("begin", "I"), (FIND, "T"), (PLACE, "T"), ("commit", "T"))]
FAILED = (("begin", "I"), (FIND, "T"), ("!" + PLACE, "T"))
ALONE = [sent((PLACE, "I"))]
NOTED = (("rollback", "E"), ("begin", "I"), (PLACE, "T"), ("commit", "T"))
"""The last statement of the transaction again, and nothing before it."""

PLACED = (("begin", "I"), (PLACE, "T"), ("!commit", "T"))

POLL = (("begin", "I", 9), ("commit", "T", 9))
"""What is left in an exchange of a worker of the service's own that reads within a transaction."""

BESIDE = [sent(("begin", "I"), (FIND, "T"), *POLL, (PLACE, "T"), ("commit", "T"))]

BESIDE_HIT = sent(("begin", "I", 9), ("!commit", "T", 9), (PLACE, "I"))

RELAY = (("begin", "I", 9), ("update outbox set sent = true", "T", 9), ("!commit", "T", 9))
"""A worker that writes, and does it again later since it got no reply."""

POOLED = [*PLAIN, *PLAIN, sent(("begin", "I"), (FIND, "T"), (NEXT, "T"), (PLACE, "T"))]
"""A request takes a new block of ids where the last one is used up."""

FRESH = [sent(("begin", "I"), (FIND, "T"), (TYPES, "T"), (PLACE, "T"), ("commit", "T"))] * 3
"""Each plain request met another new connection."""

AGAIN = (("rollback", "E"), ("begin", "I"), (FIND, "T"), (PLACE, "T"), ("commit", "T"))
AGAIN_AFTER_COMMIT = (("begin", "I"), (PLACE, "T"), ("commit", "T"))
READ_AGAIN = (("!" + FIND, "I"), ("!" + FIND, "I"))
UNSENT: Answer = no_answer(problem(503).ending)

RETRY_CONTROLS = {
    "expect_back_off": Controls(
        kept=[
            lambda: expect_back_off([pauses(10 + 3 * n, 40 - n) for n in range(6)]),
            lambda: expect_back_off([pauses(10 + 3 * n) for n in range(6)]),
            # Jitter that outweighs the growth proves nothing.
            lambda: expect_back_off([pauses(10 + 9 * n, 60 - 9 * n) for n in range(6)]),
            # Whatever comes after the third attempt is for R1 and R8 to judge.
            lambda: expect_back_off([pauses(10 + n, 20 + n, 5) for n in range(6)]),
            # A pool replaces the connection at once.
            lambda: expect_back_off([pauses(1, 10 + 3 * n) for n in range(6)], replaced=True),
            lambda: expect_back_off([pauses(1, 10 + 3 * n, 1) for n in range(6)], replaced=True),
            lambda: expect_back_off([pauses(10 + n, 20 + n, 5) for n in range(6)], replaced=True),
        ],
        broken=[
            lambda: expect_back_off([pauses(0.5 + n / 10) for n in range(6)]),
            lambda: expect_back_off([pauses(100 + n / 10, 200) for n in range(6)]),
            lambda: expect_back_off([pauses(100 + 4 * n, 100 + 4 * n) for n in range(6)]),
            lambda: expect_back_off([pauses(1, 0.5 + n / 10) for n in range(6)], replaced=True),
            lambda: expect_back_off([pauses(100 + n / 10, 200) for n in range(6)], replaced=True),
            lambda: expect_back_off([pauses(1, 10 + 3 * n) for n in range(6)]),
        ],
        nothing=[
            lambda: expect_back_off([]),
            lambda: expect_back_off([hit(0.01)] * 9),
            lambda: expect_back_off([pauses(1 + n / 10) for n in range(6)], replaced=True),
            lambda: expect_back_off([pauses(1, 1)] * 4),
        ],
    ),
    "expect_each": Controls(
        kept=[lambda: expect_each({"a": [hit(0.1)], "b": [sent()]}, expect_few_attempts)],
        broken=[lambda: expect_each({"a": [sent()], "b": [hit(*[0.1] * 4)]}, expect_few_attempts)],
        nothing=[
            lambda: expect_each({}, expect_few_attempts),
            lambda: expect_each({"a": [sent()], "b": []}, expect_few_attempts),
        ],
    ),
    "expect_few_attempts": Controls(
        kept=[lambda: expect_few_attempts([hit(0.1), hit(0.1, 0.2, 0.3), sent()])],
        broken=[lambda: expect_few_attempts([hit(0.1), hit(0.1, 0.2, 0.3, 0.4)])],
        nothing=[lambda: expect_few_attempts([]), lambda: expect_few_attempts([sent(*AGAIN)])],
    ),
    "expect_little_added_load": Controls(
        kept=[
            lambda: expect_little_added_load(load(100, 100), connections=5),
            lambda: expect_little_added_load(load(100, 118), connections=5),
            lambda: expect_little_added_load(load(100, 30), connections=5),
        ],
        broken=[
            lambda: expect_little_added_load(load(100, 126), connections=5),
            lambda: expect_little_added_load(load(100, 300), connections=5),
        ],
        nothing=[
            lambda: expect_little_added_load(sent(*AGAIN), connections=5),
            lambda: expect_little_added_load(load(19, 60), connections=2),
        ],
    ),
    "expect_never_repeated": Controls(
        kept=[
            partial(
                expect_never_repeated,
                {"22001": [hit(0.1)], "42P01": [sent(*FAILED)]},
                plain=PLAIN,
            ),
            # It records the failure by the statement by which it records a success.
            partial(expect_never_repeated, {"22001": [sent(*FAILED, *NOTED)]}, plain=PLAIN),
            partial(expect_never_repeated, {"22001": [sent(*FAILED, *NOTED)]}, plain=BESIDE),
            partial(
                expect_never_repeated,
                {"22001": [sent(*FAILED, *NOTED)]},
                plain=[sent(("begin", "I"), (PLACE, "T"), ("commit", "T")), *PLAIN],
            ),
            # Read again to say what was wrong, together with the ROLLBACK.
            partial(
                expect_never_repeated,
                {"22001": [sent(*FAILED, ("rollback", "E"), (FIND, "E")), sent(*FAILED)]},
                plain=PLAIN,
            ),
            partial(expect_never_repeated, {"22001": [sent(*FAILED, (FIND, "E"))]}, plain=PLAIN),
        ],
        broken=[
            partial(
                expect_never_repeated,
                {"22001": [sent(("!" + FIND, "I"), status=422)], "42P01": [sent(*READ_AGAIN)]},
                plain=[sent((FIND, "I"))],
            ),
            partial(
                expect_never_repeated,
                {"22001": [hit(0.1)], "42P01": [hit(0.1, 0.2)]},
                plain=ALONE,
            ),
            partial(expect_never_repeated, {"22001": [sent(*FAILED, *AGAIN)]}, plain=PLAIN),
            partial(expect_never_repeated, {"22001": [sent(*FAILED, (PLACE, "E"))]}, plain=PLAIN),
            partial(expect_never_repeated, {"22001": [hit(0.1, 0.2, 0.3)]}, plain=PLAIN),
        ],
        nothing=[partial(expect_never_repeated, {"22001": [sent(*AGAIN)]}, plain=PLAIN)],
    ),
    "expect_one_error_line": Controls(
        kept=[
            lambda: expect_one_error_line([hit(0.1, 0.2), hit(0.1, 0.2)]),
            lambda: expect_one_error_line([hit(0.1, lines=2), hit(0.1, lines=0)]),
        ],
        broken=[
            lambda: expect_one_error_line([hit(0.1, 0.2, lines=2), hit(0.1)]),
            lambda: expect_one_error_line([hit(0.1), hit(0.1, status=200), hit(0.1, lines=2)]),
        ],
        nothing=[
            lambda: expect_one_error_line([]),
            lambda: expect_one_error_line([hit(0.1, lines=0)]),
            lambda: expect_one_error_line([hit(0.1, status=200, lines=3)]),
        ],
    ),
    "expect_one_retrying_layer": Controls(
        kept=[
            lambda: expect_one_retrying_layer([hit(0.1, 0.2, 0.3), hit(0.1)]),
            lambda: expect_one_retrying_layer([pauses(90, 10)] * 9),
        ],
        broken=[lambda: expect_one_retrying_layer([pauses(10 + n, 20, 60, 9) for n in range(6)])],
        nothing=[
            lambda: expect_one_retrying_layer([sent()]),
            lambda: expect_one_retrying_layer([pauses(10, 20, 40)] * 9),
            lambda: expect_one_retrying_layer([pauses(10, 20, 60, 9)] * 4),
            lambda: expect_one_retrying_layer([pauses(20 + n, 9 * n, 20) for n in range(6)]),
        ],
    ),
    "expect_retried": Controls(
        kept=[
            lambda: expect_retried({"40001": [sent(*FAILED, *AGAIN)]}),
            lambda: expect_retried({"40001": [hit(0.1), hit(0.1, 0.2)]}),
            lambda: expect_retried({"40001": [sent(*FAILED)], "40P01": [hit(0.1, 0.2)]}),
            lambda: expect_retried({"40001 at COMMIT": [sent(*PLACED, *AGAIN_AFTER_COMMIT)]}),
            # A COMMIT of the service's own was hit.
            lambda: expect_retried({"40001": [hit(0.1, 0.2)], "40001 at COMMIT": [BESIDE_HIT]}),
        ],
        broken=[
            lambda: expect_retried(
                {"40001": [hit(0.1, 0.2)], "40001 at COMMIT": [sent(*PLACED, status=503)] * 2}
            ),
            lambda: expect_retried({"40001": [hit(0.1), hit(0.1)]}),
            lambda: expect_retried(
                {"40001": [hit(0.1, 0.2)], "40P01": [sent(*FAILED, status=503)]}
            ),
        ],
        nothing=[
            lambda: expect_retried({"40001": [sent(*AGAIN)]}),
            # The statement that failed was not needed.
            lambda: expect_retried({"40001": [sent(*FAILED)], "40P01": [sent(*FAILED)]}),
        ],
    ),
    "expect_retries_in_time": Controls(
        kept=[
            partial(expect_retries_in_time, [hit(0.1, 0.8), hit(0.1)], latest=seconds(1)),
            lambda: expect_retries_in_time(
                [replaced(hit(0.1, 1.2), forgiven=ms(300))], latest=seconds(1)
            ),
        ],
        broken=[
            partial(expect_retries_in_time, [hit(0.1, 0.8)], latest=ms(800)),
            partial(expect_retries_in_time, [hit(0.1, 0.2), hit(0.1, 1.1)], latest=seconds(1)),
        ],
        nothing=[
            partial(expect_retries_in_time, [hit(0.1), hit(2.1)], latest=seconds(1)),
            partial(expect_retries_in_time, [sent()], latest=seconds(1)),
        ],
    ),
    "expect_unanswered_never_repeated": Controls(
        kept=[
            lambda: expect_unanswered_never_repeated(
                [sent(("begin", "I"), (PLACE, "T"), ("!commit", "T"), (FIND, "I", 2))]
            ),
            lambda: expect_unanswered_never_repeated([sent((PLACE, "I"), ("!" + PLACE, "I"))]),
            partial(
                expect_unanswered_never_repeated,
                [sent(*RELAY, *PLACED, (FIND, "I", 2), *RELAY[:2])],
                plain=[*PLAIN, sent(*RELAY[:2], *PLACED[:2])],
            ),
            # It records the failure by the statement by which it records a success.
            lambda: expect_unanswered_never_repeated(
                [sent(("begin", "I"), (PLACE, "T"), (NOTE, "T"), ("!commit", "T"), (NOTE, "I", 2))]
            ),
            # One of two was recognized; the other was not repeated.
            lambda: expect_unanswered_never_repeated([REPEATED, ONCE], applied={TOKEN: 1}),
            *(
                partial(
                    expect_unanswered_never_repeated,
                    [sent(("begin", "I"), (call, "T"), ("!commit", "T"), (FIND, "I", 2))],
                )
                for call in CALLS
            ),
        ],
        broken=[
            lambda: expect_unanswered_never_repeated([REPEATED], applied={TOKEN: 2}),
            lambda: expect_unanswered_never_repeated([REPEATED], applied={}),
            # A constraint keeps it from being doubled, and the caller is told of a failure.
            lambda: expect_unanswered_never_repeated([REFUSED], applied={TOKEN: 1}),
            # A blind repetition is there twice, or it is not known; beside it a worker commits.
            lambda: expect_unanswered_never_repeated([TWICE], applied={TOKEN: 2}),
            lambda: expect_unanswered_never_repeated([TWICE]),
            partial(
                expect_unanswered_never_repeated,
                [sent(*RELAY, *PLACED, (PLACE, "T", 2), status=504)],
                plain=[*PLAIN, sent(*RELAY[:2], *PLACED[:2])],
                applied={TOKEN: 1},
            ),
            *(
                partial(
                    expect_unanswered_never_repeated,
                    [sent(("begin", "I"), (call, "T"), ("!commit", "T"), (call, "T", 2))],
                )
                for call in CALLS
            ),
            lambda: expect_unanswered_never_repeated(
                [sent(("!" + CALLS[0], "I"), (NOW, "I", 2), (CALLS[0], "I", 2))]
            ),
            lambda: expect_unanswered_never_repeated(
                [sent(("begin", "I"), (PLACE, "T"), ("!commit", "T"), (PLACE, "T", 2))]
            ),
            lambda: expect_unanswered_never_repeated([sent(("!" + PLACE, "I"), (PLACE, "I", 2))]),
            lambda: expect_unanswered_never_repeated(
                [sent((NOTE, "I"), ("begin", "I"), (PLACE, "T"), ("!commit", "T"), (PLACE, "T", 2))]
            ),
            partial(
                expect_unanswered_never_repeated,
                [sent(*RELAY, *PLACED, (PLACE, "T", 2))],
                plain=[*PLAIN, sent(*RELAY[:2], *PLACED[:2])],
            ),
            # Outside of a transaction, beside a worker that commits.
            partial(
                expect_unanswered_never_repeated,
                [sent(*POLL, ("!" + PLACE, "I"), (PLACE, "I", 2))],
                plain=ALONE,
            ),
        ],
        nothing=[
            lambda: expect_unanswered_never_repeated([REPEATED], applied={TOKEN: 1}),
            lambda: expect_unanswered_never_repeated([TWICE], applied={TOKEN: 1}),
            lambda: expect_unanswered_never_repeated([sent((PLACE, "T"), ("commit", "T"))]),
            partial(
                expect_unanswered_never_repeated,
                [sent(*RELAY, *PLACED[:2], *RELAY[:2])],
                plain=PLAIN,
            ),
            # What writes by a function is known all the same.
            partial(
                expect_unanswered_never_repeated,
                [sent(*RELAY, ("begin", "I"), (FIND, "T"), *RELAY[:2])],
                plain=[sent(("begin", "I"), (FIND, "T"), ("commit", "T"))],
            ),
            lambda: expect_unanswered_never_repeated([sent(("!" + FIND, "I"), (FIND, "I", 2))]),
            lambda: expect_unanswered_never_repeated([sent(("!" + NOW, "I"), (NOW, "I", 2))]),
            # Which of both calls writes?
            lambda: expect_unanswered_never_repeated(
                [sent((CALLS[0], "I"), ("!" + GET, "I"), (GET, "I", 2))]
            ),
        ],
    ),
    "expect_whole_transactions": Controls(
        kept=[
            partial(expect_whole_transactions, [sent(*FAILED, *AGAIN)], plain=PLAIN),
            partial(
                expect_whole_transactions,
                [sent(*FAILED, ("begin", "I", 2), (FIND, "T", 2), (PLACE, "T", 2))],
                plain=PLAIN,
            ),
            partial(expect_whole_transactions, [sent(*FAILED, *POLL, *AGAIN)], plain=PLAIN),
            partial(expect_whole_transactions, [sent(*FAILED, *AGAIN)], plain=POOLED),
            partial(expect_whole_transactions, [sent(*FAILED, *AGAIN)], plain=POOLED[::-1]),
            partial(expect_whole_transactions, [sent(*FAILED, *AGAIN)], plain=FRESH),
            partial(
                expect_whole_transactions,
                [sent((FIND, "I"), ("!" + PLACE, "I"), (PLACE, "I"))],
                plain=[sent((FIND, "I"), (PLACE, "I"))],
            ),
        ],
        broken=[
            partial(expect_whole_transactions, [sent(*FAILED, (PLACE, "E"))], plain=PLAIN),
            partial(expect_whole_transactions, [sent(*FAILED, (FIND, "E"))], plain=PLAIN),
            partial(expect_whole_transactions, [sent(*FAILED, (FIND, "E"), *AGAIN)], plain=PLAIN),
            partial(
                expect_whole_transactions,
                [sent(*FAILED, ("rollback to a", "E"), (FIND, "T"), (PLACE, "T"))],
                plain=PLAIN,
            ),
            partial(
                expect_whole_transactions,
                [sent(*FAILED, ("rollback", "E"), ("begin", "I"), (PLACE, "T"))],
                plain=PLAIN,
            ),
            partial(
                expect_whole_transactions,
                [sent(*FAILED, *POLL, ("rollback", "E"), ("begin", "I"), (PLACE, "T"))],
                plain=BESIDE,
            ),
            *(
                partial(
                    expect_whole_transactions,
                    [sent(*FAILED, ("rollback", "E"), ("begin", "I"), (PLACE, "T"))],
                    plain=plain,
                )
                for plain in (POOLED, POOLED[::-1], FRESH)
            ),
        ],
        nothing=[
            partial(expect_whole_transactions, [sent(*FAILED)], plain=PLAIN),
            partial(expect_whole_transactions, [sent(*FAILED, ("insert", "E"))], plain=PLAIN),
            partial(expect_whole_transactions, [sent(*AGAIN)], plain=PLAIN),
            # It records the failure by the statement by which it records a success.
            partial(expect_whole_transactions, [sent(*FAILED, *NOTED, status=503)], plain=PLAIN),
            partial(
                expect_whole_transactions,
                [sent(*FAILED, ("rollback", "E"), (FIND, "E"))],
                plain=PLAIN,
            ),
        ],
    ),
}


def replaced(exchange: Exchange, **fields: object) -> Exchange:
    """The exchange with other fields of its one answer."""
    return replace(exchange, answers=(replace(exchange.answers[0], **fields),))  # type: ignore[arg-type]
