"""The controls of the judgements on a sweep."""

from collections.abc import Callable
from functools import partial

from brownout import Breaker, NotAssessable, Operation, seconds
from brownout.expectations import (
    expect_all_within,
    expect_each_case,
    expect_exactly_once_with_key,
    expect_honest_refusal,
    expect_invariant_kept,
    expect_next_callers_served,
    expect_no_open_transaction,
    expect_recovered_from_case,
    expect_sessions_within,
    expect_told_as_it_is,
    expect_whole_answer,
    expect_written_at_most_once,
    expect_written_if_acknowledged,
)
from brownout.observations import Completion
from brownout.trial import CaseTry, Recording
from brownout.trial.sweep.breaks import Effect
from brownout.trial.sweep.seen import Swept, SweptCase
from tests.core.judgements import Controls
from tests.core.made import READ, WRITE, answer, no_answer, recording, service

__all__ = ["SWEEP", "swept", "tried"]

GONE, SILENT, REFUSED = Effect(gone=True), Effect(silent=True), Effect()
KEYED = Operation.write(
    "keyed", "POST", "/keyed", applied="select count(*) where '' = $1", idempotency_header="Key"
)
SERVICE = service([READ, WRITE, KEYED])
BREAKING = service([READ, WRITE], breaker=Breaker(failures=1, rest=seconds(1)))


def tried(status: int = 503, effect: Effect = GONE, **fields: object) -> CaseTry:
    """A case after which all was well."""
    operation = WRITE if "applied" in fields else READ
    sound: dict[str, object] = {
        "met": True,
        "answer": answer(status, operation=operation),
        "following": (answer(),),
        "together": (answer(), answer()),
        "places": 2,
        "healthy": 2,
        "sessions": 4,
    }
    return CaseTry(effect=effect, **{**sound, **fields})  # type: ignore[arg-type]


def keyed(*statuses: int, count: int, first: int = 504) -> CaseTry:
    """The same key again, with these answers, and what was there in the end."""
    return tried(
        answer=answer(first, operation=KEYED),
        again=tuple(answer(one, operation=KEYED) for one in statuses),
        applied=0,
        applied_again=count,
    )


def swept(*cases: tuple[str, *tuple[CaseTry, ...]]) -> Recording:
    """A share of a sweep with these cases, each by its name and its tries."""
    made = tuple(SweptCase(name, "a fault", tuple(tries)) for name, *tries in cases)
    return recording(swept=Swept(0, 1, (), made), declared=SERVICE)


def in_time(recorded: Recording) -> Callable[[], None]:
    """A judgement of when each case was answered."""
    return lambda: expect_each_case(
        recorded, lambda seen: expect_all_within([seen.answer], seconds(1))
    )


LONGER = answer(json=[1, 2])
LATE = tried(answer=answer(503, elapsed=seconds(3)))
MISSED = tried(met=False, answer=answer(200, elapsed=seconds(3)))


def _never(_: CaseTry) -> None:
    raise NotAssessable("Not this.")


SWEEP = {
    "expect_each_case": Controls(
        kept=[
            in_time(swept(("a/b/cut", tried()))),
            # A second try tells a busy machine from a late service …
            in_time(swept(("a/b/cut", LATE, tried()))),
            # … and what no fault has hit says nothing.
            in_time(swept(("a/b/cut", tried(), MISSED), ("a/c/cut", MISSED))),
        ],
        broken=[
            in_time(swept(("a/b/cut", LATE))),
            in_time(swept(("a/b/cut", LATE, LATE), ("a/c/cut", tried()))),
            in_time(swept(("a/b/cut", MISSED, LATE))),
            lambda: expect_each_case(
                swept(("a/b/cut", tried(201, applied=0), tried(503, applied=0))),
                expect_written_if_acknowledged,
                certain=True,
            ),
        ],
        nothing=[
            in_time(swept()),
            in_time(swept(("a/b/cut", MISSED))),
            in_time(recording()),
            lambda: expect_each_case(swept(("a/b/cut", tried())), _never),
        ],
    ),
    "expect_exactly_once_with_key": Controls(
        kept=[
            lambda: expect_exactly_once_with_key(keyed(201, 201, 201, count=1)),
            lambda: expect_exactly_once_with_key(keyed(409, 201, 200, count=1)),
        ],
        broken=[
            lambda: expect_exactly_once_with_key(keyed(201, 201, 201, count=2)),
            lambda: expect_exactly_once_with_key(keyed(409, 409, 409, count=0)),
            lambda: expect_exactly_once_with_key(keyed(201, 201, 201, count=0)),
            # An uncertain answer that is given again and again tells the caller nothing.
            lambda: expect_exactly_once_with_key(keyed(504, 504, 504, count=0)),
        ],
        nothing=[
            lambda: expect_exactly_once_with_key(tried()),
            lambda: expect_exactly_once_with_key(keyed(422, 422, 422, count=0, first=422)),
        ],
    ),
    "expect_honest_refusal": Controls(
        kept=[
            lambda: expect_honest_refusal(tried(503), SERVICE),
            lambda: expect_honest_refusal(tried(200), SERVICE),
            lambda: expect_honest_refusal(tried(504, SILENT), SERVICE),
        ],
        broken=[
            lambda: expect_honest_refusal(tried(500), SERVICE),
            lambda: expect_honest_refusal(tried(404), SERVICE),
            lambda: expect_honest_refusal(tried(409), SERVICE),
            lambda: expect_honest_refusal(tried(500, SILENT), SERVICE),
        ],
        nothing=[
            lambda: expect_honest_refusal(tried(500, REFUSED), SERVICE),
            lambda: expect_honest_refusal(tried(answer=answer(409, operation=KEYED)), SERVICE),
            lambda: expect_honest_refusal(tried(answer=no_answer(Completion.DROPPED)), SERVICE),
        ],
    ),
    "expect_invariant_kept": Controls(
        kept=[lambda: expect_invariant_kept(tried(invariant=("[(7,)]", "[(7,)]")))],
        broken=[lambda: expect_invariant_kept(tried(invariant=("[(7,)]", "[(6,)]")))],
        nothing=[lambda: expect_invariant_kept(tried())],
    ),
    "expect_next_callers_served": Controls(
        kept=[
            lambda: expect_next_callers_served(tried(), SERVICE),
            lambda: expect_next_callers_served(tried(effect=REFUSED), SERVICE),
            # A lost connection may cost more than one request …
            lambda: expect_next_callers_served(tried(following=(answer(503), answer())), SERVICE),
            # … and a breaker is open for a while.
            lambda: expect_next_callers_served(
                tried(effect=REFUSED, following=(answer(503), answer())), BREAKING
            ),
        ],
        broken=[
            lambda: expect_next_callers_served(tried(places=1), SERVICE),
            lambda: expect_next_callers_served(tried(together=(answer(), answer(500))), SERVICE),
            lambda: expect_next_callers_served(
                tried(effect=REFUSED, following=(answer(500), answer())), SERVICE
            ),
            lambda: expect_next_callers_served(
                tried(effect=REFUSED, recovered=False, following=(answer(500),), together=()),
                SERVICE,
            ),
        ],
        nothing=[
            lambda: expect_next_callers_served(
                tried(recovered=False, following=(answer(500),), together=()), SERVICE
            )
        ],
    ),
    "expect_no_open_transaction": Controls(
        kept=[
            lambda: expect_no_open_transaction(tried(), SERVICE),
            # Another one, which the service's own work has just begun.
            lambda: expect_no_open_transaction(tried(idle=0.1), SERVICE),
        ],
        broken=[lambda: expect_no_open_transaction(tried(idle=1.3), SERVICE)],
        nothing=[],  # each try looks at the sessions
    ),
    "expect_recovered_from_case": Controls(
        kept=[lambda: expect_recovered_from_case(tried())],
        broken=[
            lambda: expect_recovered_from_case(tried(recovered=False, following=(answer(503),)))
        ],
        nothing=[lambda: expect_recovered_from_case(tried(effect=REFUSED, recovered=False))],
    ),
    "expect_sessions_within": Controls(
        kept=[lambda: expect_sessions_within(tried(), SERVICE)],
        broken=[lambda: expect_sessions_within(tried(sessions=5), SERVICE)],
        nothing=[],  # each try looks at the sessions
    ),
    "expect_told_as_it_is": Controls(
        kept=[
            lambda: expect_told_as_it_is(tried(503, REFUSED, applied=0), refused=True),
            lambda: expect_told_as_it_is(tried(503, applied=0), refused=False),
        ],
        broken=[
            lambda: expect_told_as_it_is(tried(503, REFUSED, applied=1), refused=True),
            lambda: expect_told_as_it_is(tried(503, applied=1), refused=False),
            lambda: expect_told_as_it_is(tried(409, SILENT, applied=1), refused=False),
        ],
        nothing=[
            lambda: expect_told_as_it_is(tried(503, applied=1), refused=True),
            lambda: expect_told_as_it_is(tried(503, REFUSED, applied=1), refused=False),
            # Carried out, and reported as uncertain.
            lambda: expect_told_as_it_is(tried(504, applied=1), refused=False),
            lambda: expect_told_as_it_is(tried(503), refused=False),
        ],
    ),
    "expect_whole_answer": Controls(
        kept=[
            lambda: expect_whole_answer(tried(503), SERVICE),
            lambda: expect_whole_answer(
                tried(answer=answer(json=[1]), following=(answer(json=[2]),)), SERVICE
            ),
            # It varies by itself.
            lambda: expect_whole_answer(
                tried(answer=answer(json=[1]), following=(LONGER,), together=(answer(json=[]),)),
                SERVICE,
            ),
            lambda: expect_whole_answer(
                tried(
                    usual=answer(json=[]),
                    answer=answer(json=[1]),
                    following=(LONGER,),
                    together=(LONGER,),
                ),
                SERVICE,
            ),
            # Of writes each has its own answer.
            lambda: expect_whole_answer(
                tried(answer=answer(json={"id": 1}, operation=WRITE)), SERVICE
            ),
        ],
        broken=[
            lambda: expect_whole_answer(tried(answer=no_answer(Completion.DROPPED)), SERVICE),
            lambda: expect_whole_answer(
                tried(answer=answer(json=[1]), following=(LONGER,), together=(LONGER,)),
                SERVICE,
            ),
            lambda: expect_whole_answer(
                tried(usual=LONGER, answer=answer(json=[1]), following=(LONGER,), together=()),
                SERVICE,
            ),
        ],
        nothing=[],  # each try has an answer
    ),
    "expect_written_at_most_once": Controls(
        kept=[lambda: expect_written_at_most_once(tried(201, applied=1))],
        broken=[lambda: expect_written_at_most_once(tried(504, applied=2))],
        nothing=[
            partial(expect_written_at_most_once, tried(503, applied=0)),
            partial(expect_written_at_most_once, tried(503)),
        ],
    ),
    "expect_written_if_acknowledged": Controls(
        kept=[lambda: expect_written_if_acknowledged(tried(201, applied=1))],
        broken=[lambda: expect_written_if_acknowledged(tried(201, applied=0))],
        nothing=[
            partial(expect_written_if_acknowledged, tried(503, applied=0)),
            partial(expect_written_if_acknowledged, tried(201)),
        ],
    ),
}
