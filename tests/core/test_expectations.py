"""Each judgement lets the sound pass, rejects each broken one, and says nothing about nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

import brownout.expectations
from brownout import (
    Answer,
    BrownoutError,
    Budget,
    Completion,
    ContractViolation,
    Errors,
    Health,
    NotAssessable,
    Operation,
    Service,
)
from brownout.expectations import (
    expect_acknowledged_applied,
    expect_acknowledged_kept,
    expect_agreeing_health,
    expect_all_succeed,
    expect_all_within,
    expect_at_most_failures,
    expect_at_most_sessions,
    expect_callers_error,
    expect_conflicts_told,
    expect_constant,
    expect_constant_titles,
    expect_error_media_type,
    expect_failing_component_named,
    expect_found_mistakes_told,
    expect_free_event_loop,
    expect_health_routes,
    expect_honest_statuses,
    expect_kept_trace_ids,
    expect_near_baseline,
    expect_no_flapping,
    expect_no_leak,
    expect_no_sessions_left_behind,
    expect_none_doubled,
    expect_none_idle_in_transaction,
    expect_none_made_up,
    expect_none_repeated,
    expect_none_succeed,
    expect_parallel,
    expect_process_alive,
    expect_ready_again,
    expect_recovered,
    expect_refusals_in_log,
    expect_refused_absent,
    expect_retry_after,
    expect_sqlstate_in_log_only,
    expect_status_member,
    expect_traceable,
    expect_unavailable,
    expect_undetermined_told,
    expect_unready,
    expect_unusable_values_told,
    expect_valid_bodies,
    expect_valid_retry_after,
    expect_whole_answers,
    expect_whole_pool,
)
from brownout.expectations.evidence import raise_if_any
from brownout.observations import SAMPLES, Latencies, Recovery
from brownout.trial import Exchange, ProcessEnd, Recording, SessionLook, Stopped
from brownout.trial.gaps import Gap
from brownout.trial.refusing import CONDITIONS
from brownout.units import ms, seconds
from tests.core.breaker_controls import BREAKER_CONTROLS
from tests.core.chaos_controls import CHAOS_CONTROLS
from tests.core.declared_controls import DECLARED_CONTROLS
from tests.core.judgements import Controls, Judgement
from tests.core.left_behind_controls import LEFT_BEHIND
from tests.core.lifecycle_controls import LIFECYCLE
from tests.core.made import (
    GRAPHQL,
    READ,
    WRITE,
    answer,
    injected,
    no_answer,
    problem,
    recording,
    service,
    timed,
)
from tests.core.overload_controls import OVERLOAD_CONTROLS
from tests.core.recovery_controls import RECOVERY
from tests.core.register_controls import REGISTER_CONTROLS
from tests.core.retry_controls import RETRY_CONTROLS
from tests.core.sharing_controls import SHARING
from tests.core.sweep_controls import SWEEP

OWN = Errors(media_type="application/json", schema={"type": "object", "required": ["code"]})
TEXT = Errors(media_type="text/plain")
LIST = {"type": "array", "items": {"type": "string"}}


def coded(one: Answer) -> bool:
    """A check of a declaration's own: each error has its code."""
    return f"ERR {one.status}".encode() in one.body


CODED = Errors(media_type="text/plain", check=coded)
CODED_JSON = Errors(media_type="application/json", check=coded)
CODED_PROBLEM = Errors(check=coded)


OK = answer(json=[1, 2])
GONE = problem(503)
LATE = problem(504)
REFUSED = no_answer(Completion.CONNECTION_REFUSED)
DROPPED = no_answer(Completion.DROPPED)
SILENT = no_answer(Completion.NO_ANSWER)
HTML = answer(503, body=b"<h1>no</h1>", headers={"Content-Type": "text/html"})
BARE = answer(503, body=b"")
NOT_STATUS = answer(503, json={"status": 503}, headers={"Content-Type": "application/json"})
ERRORS = Errors()
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
POOL_TIMED_OUT = "pool timed out while waiting for an open connection"
PONG = answer(body=b"pong")
ORDERS = answer(json={"data": {"orders": [{"id": 1}]}})
ROWS = answer(json=[{"id": 1, "sku": "tea"}, {"id": 2, "sku": "jam"}])


FILL = replace(WRITE, name="fill")
TEAPOT, UNFORESEEN = (replace(READ, refused=frozenset({status})) for status in (418, 500))


def with_members(members: Mapping[str, object]) -> Answer:
    """A problem with only these members."""
    return answer(503, json=members, headers={"Content-Type": "application/problem+json"})


def listed(rows: int) -> Answer:
    """A list of so many orders."""
    return answer(json={"orders": [{"id": number} for number in range(rows)]})


def asks_back(value: str | None, status: int = 503) -> Answer:
    return problem(status, headers={} if value is None else {"Retry-After": value})


def asks_back_at(value: str) -> Answer:
    """A refusal of 7:28 with this Retry-After."""
    return problem(503, headers={"Retry-After": value, "Date": "Wed, 21 Oct 2015 07:28:00 GMT"})


def says(status: str | int, line: int = 200) -> Answer:
    return answer(line, json={"status": status})


def titled(kind: str, title: str | None) -> Answer:
    return problem(503, type=kind, title=title)


def traced(trace_id: str) -> Answer:
    return problem(503, trace_id=trace_id)


def flapping(probes: str, *, before: str = "", workers: int = 1) -> None:
    """Readiness four times a second from the onset in the 101st second on, and `before`."""
    seen = [(one, 101.0 + number / 4) for number, one in enumerate(probes)]
    seen += [(one, 100.0 + number / 8) for number, one in enumerate(before)]
    expect_no_flapping(
        recording(
            readiness=tuple(
                answer(503 if one == "x" else 200, started=started)
                for one, started in sorted(seen, key=lambda one: one[1])
            ),
            declared=service(workers=workers),
        )
    )


ONE_BY_ONE = ".xx.x.x."
"""Four workers come back one after the other, in two seconds: what a probe sees of them."""


def written(token: str, status: int = 201) -> Answer:
    return answer(status, operation=WRITE, token=token)


def flat(milliseconds: float, count: int = SAMPLES) -> Latencies:
    return Latencies((ms(milliseconds),) * count)


def near(seen: Latencies, *, ceiling: timedelta) -> None:
    expect_near_baseline(seen, flat(5), ceiling=ceiling, what="Liveness")


def parallel(
    together: Sequence[Answer],
    *,
    connections: int = 2,
    plain: tuple[Answer, ...] = (*timed(40, 40),),
    alone: Answer = answer(elapsed=ms(100)),  # noqa: B008 - frozen
    opened: int = 0,
    waiting: int = 0,
    workers: int = 1,
) -> None:
    budget = Budget(request=seconds(1), recovery=seconds(2), pool=connections)
    seen = recording(
        declared=service(budget=budget, workers=workers),
        notes={"alone list": (alone,), "together list": tuple(together), "plain list": plain},
        opened={"list": opened},
        sessions=(SessionLook(100.1, {"active": 2}, 0.0, waiting),),
    )
    expect_parallel(seen, READ)


def by_threads(
    threads: int, *, connections: int, workers: int = 1, each: timedelta = ms(250)
) -> None:
    """X3 of twice as many requests as connections, served by so many threads in rounds of `each`,
    where one by itself takes a quarter of a second."""
    took = [each * (1 + number // threads) for number in range(connections * 2)]
    parallel(
        [answer(elapsed=one + ms(number % threads)) for number, one in enumerate(took)],
        connections=connections,
        alone=answer(elapsed=ms(250)),
        workers=workers,
    )


def whole_pool(
    together: Sequence[Answer],
    *,
    before: Sequence[Answer],
    alone: Answer = answer(elapsed=ms(100)),  # noqa: B008 - frozen
) -> None:
    expect_whole_pool(alone, together, before=before, connections=2)


def idle(longest: float, **by_state: int) -> None:
    states = {state.replace("_", " "): count for state, count in by_state.items()}
    look = SessionLook(100.0, states, longest)
    expect_none_idle_in_transaction(look, longer_than=seconds(1))


def left_behind(*counts: int, steady: bool = True, **fields: Any) -> None:
    """So many sessions after the heal, of a service that declares four."""
    looks = tuple(SessionLook(112.0, {"idle": count}) for count in counts)
    back = Recovery(steady, seconds(1), ())
    expect_no_sessions_left_behind(recording(**{"counted": looks, "recovery": back, **fields}))


def unready(
    *failing: bool,
    every: timedelta = ms(250),
    first: float = 102.0,
    gaps: tuple[Gap, ...] = (),
    declared: Service = service(),  # noqa: B008 - frozen
) -> None:
    """Readiness as it was asked, from the onset in the 102nd second to the heal in the 110th. Its
    threshold is three failures within three seconds."""
    probes = [
        answer(503 if fails else 200, started=first + number * every.total_seconds())
        for number, fails in enumerate(failing)
    ]
    expect_unready(recording(readiness=tuple(probes), gaps=gaps, declared=declared))


WITHOUT_ROUTES = service(health=Health(live=None, ready=None))


def workers_ended(
    requests: int, ended: Mapping[int, float], *, requests_from: float = 100.9, **fields: Any
) -> Recording:
    """Two workers, 11 and 12, served requests at the onset of an outage from the 101st to the 111th
    second; so many requests, under way from then on, were lost half a second later."""
    lost = no_answer(Completion.DROPPED, started=requests_from, elapsed=ms(500))
    return recording(
        injected=(replace(injected(), workers=(11, 12)),),
        answers=(lost, *[replace(lost, ending=Completion.STALE)] * (requests - 1)),
        workers_ended=ended,
        **fields,
    )


SLOW_PACE = service(pace=5.9)
"""A round of two operations on three connections takes longer than a second: a period of the health
routes, and half of the recovery time."""


def ready_again(
    after: timedelta | None,
    probes: str = "",
    *,
    late: timedelta = timedelta(0),
    for_good: bool = True,
) -> None:
    """Ready so long after the heal in the 111th second, with a probe each quarter of a second from
    then on: "+" passes, "-" fails, and "~" fails with so much forgiven. The recovery time is two
    seconds."""
    readiness = tuple(
        replace(
            answer(200 if one == "+" else 503, started=111.0 + number / 4),
            forgiven=late if one == "~" else timedelta(0),
        )
        for number, one in enumerate(probes)
    )
    expect_ready_again(recording(ready_again=after, readiness=readiness), for_good=for_good)


def refusals(status: int = 503, **logged: str) -> None:
    """What the log has of each operation's refusals, in their order: "+" the SQLSTATE, "n" the name
    of a driver's class for it, "~" the SQLSTATE of another one, "-" something else, "?" is not
    known."""
    states = list(CONDITIONS)

    def log(number: int, one: str) -> str | None:
        state = states[number]
        told = {
            "+": f"failed: {state}",
            "n": f"errors.{CONDITIONS[state].title().replace('_', '')}: failed",
            "~": f"failed: {states[number - 1]}",
            "-": "failed",
        }
        return told.get(one)

    expect_refusals_in_log(
        {
            name: {
                states[number]: (Exchange((answer(status),), (), log=log(number, one)),)
                for number, one in enumerate(shown)
            }
            for name, shown in logged.items()
        }
    )


def recovered(steady: bool, after: timedelta, **fields: Any) -> None:
    """The same."""
    expect_recovered(recording(recovery=Recovery(steady, after, ("x",)), **fields))


def free_loop(*stretches: int, failing: int = 0) -> None:
    """Requests 5 ms apart, in stretches that are in turn quick and slow; of these one may be
    50 requests long, since D is one second and a round trip takes a quarter of it."""
    took = [slow for number, count in enumerate(stretches) for slow in [number % 2 == 1] * count]
    paced = [
        answer(started=100 + number * 0.005, elapsed=ms(102 if slow else 101))
        for number, slow in enumerate(took)
    ]
    paced += [answer(503)] * failing
    expect_free_event_loop(recording(notes={"paced": tuple(paced)}, baselines={"list": flat(1)}))


OF_A_STATUS = (
    "https://tools.ietf.org/html/rfc9110#section-15.5.1",
    "https://tools.ietf.org/html/rfc7231#section-6.5.1",
    "https://datatracker.ietf.org/doc/html/rfc9110#section-15.5.1",
    "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.1",
    "https://www.rfc-editor.org/rfc/rfc9110.html#name-400-bad-request",
)
"""Types of ASP.NET's problems."""


def conflicts(answer: Answer, *, twice: tuple[Answer, ...], other: Answer | None = None) -> None:
    """A write is answered so under the fault, and before it, the same write twice; `other` is the
    answer to another write, which was accepted twice."""
    met = [(WRITE, answer)] if other is None else [(WRITE, answer), (FILL, other)]
    expect_conflicts_told(
        recording(
            answers=tuple(replace(one, operation=by.name, started=103.0) for by, one in met),
            declared=service([READ, WRITE, FILL]),
            notes={f"twice {WRITE.name}": twice, f"twice {FILL.name}": (OK, OK)},
        )
    )


def unusable(answer: Answer, *, found: Answer | None = None, other: Answer | None = None) -> None:
    """A write is answered so under the fault; `found` is the answer to a text of it that the
    database found too long before, `other` the one to another write, which has no such text."""
    met = [(WRITE, answer)] if other is None else [(WRITE, answer), (FILL, other)]
    expect_unusable_values_told(
        recording(
            answers=tuple(replace(one, operation=by.name, started=103.0) for by, one in met),
            declared=service([READ, WRITE, FILL]),
            notes={} if found is None else {f"too long {WRITE.name}": (found,)},
        )
    )


def honest(
    answers: Sequence[Answer], operation: Operation = READ, *, gone: bool, locked: bool = False
) -> None:
    expect_honest_statuses(answers, operation, gone=gone, locked=locked)


def unhealthy(**members: object) -> Answer:
    return answer(503, json={"status": "fail", **members})


CHECKS = [{"name": "db", "status": "up"}, {"name": "cache", "status": "down", "critical": False}]


def component_says(while_ready: object, while_failing: object) -> None:
    """Readiness with these checks in its body, before the fault and under it."""
    ready = answer(json={"status": "pass", "checks": while_ready})
    expect_failing_component_named([ready, unhealthy(checks=while_failing)])


def parented(one: Answer) -> Answer:
    return replace(one, trace_id="abad1")


def many_failed(
    count: int, logged: Callable[[int], bool], *, apart: float = 0.005
) -> tuple[list[Answer], str]:
    """So many failures of four operations in turn, so many seconds apart, each with its caller's
    trace id; the log has the ids of those whose number is `logged`."""
    failed = [
        replace(
            GONE,
            operation=f"read {number % 4}",
            started=100.0 + number * apart,
            trace_id=f"{number + 1:032x}",
        )
        for number in range(count)
    ]
    return failed, "\n".join(f"{number + 1:032x}" for number in range(count) if logged(number))


def many_traceable(count: int, logged: Callable[[int], bool], **apart: float) -> None:
    failed, log = many_failed(count, logged, **apart)
    answers = [replace(one, body=traced(str(one.trace_id)).body) for one in failed]
    expect_traceable(answers, ERRORS, log)


def many_kept(count: int, logged: Callable[[int], bool], **apart: float) -> None:
    failed, log = many_failed(count, logged, **apart)
    expect_kept_trace_ids([one for one in failed if int(str(one.trace_id), 16) % 8 < 4], log)


def sampled(number: int) -> bool:
    """As zap logs the failures of one second."""
    return number < 100 or number % 100 == 99


ROUTES = Health(live="/live", ready="/ready")

CONTROLS = {
    **BREAKER_CONTROLS,
    **CHAOS_CONTROLS,
    **DECLARED_CONTROLS,
    **OVERLOAD_CONTROLS,
    **REGISTER_CONTROLS,
    **RETRY_CONTROLS,
    "expect_acknowledged_applied": Controls(
        kept=[
            lambda: expect_acknowledged_applied([written("a"), written("b")], {"a": 1, "b": 2}),
            lambda: expect_acknowledged_applied([written("a"), written("b", 503)], {"a": 1}),
            lambda: expect_acknowledged_applied([written("a"), written("b", 500)], {"a": 1}),
        ],
        broken=[
            lambda: expect_acknowledged_applied([written("a"), written("b")], {"a": 1}),
            lambda: expect_acknowledged_applied([written("a")], {"a": 0}),
        ],
        nothing=[
            lambda: expect_acknowledged_applied([], {}),
            lambda: expect_acknowledged_applied([written("a", 503)], {"a": 1}),
        ],
    ),
    "expect_acknowledged_kept": Controls(
        kept=[
            lambda: expect_acknowledged_kept([written("a"), written("b")], {"a": 1, "b": 2}),
            lambda: expect_acknowledged_kept([written("a"), written("b", 503)], {"a": 1}),
        ],
        broken=[
            lambda: expect_acknowledged_kept([written("a"), written("b")], {"a": 1}),
            lambda: expect_acknowledged_kept([written("a"), written("b", 503)], {"b": 1}),
        ],
        nothing=[
            lambda: expect_acknowledged_kept([], {}),
            lambda: expect_acknowledged_kept([written("a", 503)], {"a": 1}),
        ],
    ),
    "expect_agreeing_health": Controls(
        kept=[
            lambda: expect_agreeing_health([says("pass"), says("fail", 503), DROPPED]),
            lambda: expect_agreeing_health([says("WARN"), answer(json="nothing said")]),
            lambda: expect_agreeing_health([says(200), says(503, 503), says("UP")]),
            lambda: expect_agreeing_health([says("pass"), answer(json=CHECKS)]),
        ],
        broken=[
            lambda: expect_agreeing_health([says("pass"), says("fail")]),
            lambda: expect_agreeing_health([says("pass", 503)]),
            lambda: expect_agreeing_health([says(503)]),
            # A handler that returns a pair, where the framework expects a body.
            lambda: expect_agreeing_health([answer(json=[{"status": "DOWN"}, 503])]),
            lambda: expect_agreeing_health([answer(json=[{"ready": False}, 503])]),
            lambda: expect_agreeing_health([answer(json=[{"status": "ok"}, 503, {}])]),
        ],
        nothing=[
            lambda: expect_agreeing_health([]),
            lambda: expect_agreeing_health([DROPPED]),
            lambda: expect_agreeing_health([answer(body=b"ok"), answer(json={"up": True})]),
            lambda: expect_agreeing_health([answer(json=CHECKS)]),
        ],
    ),
    "expect_all_succeed": Controls(
        kept=[lambda: expect_all_succeed([OK, OK])],
        broken=[
            partial(expect_all_succeed, [OK, one])
            for one in (
                GONE,
                GRAPHQL,
                answer(404),
                answer(302),
                answer(206),
                DROPPED,
                SILENT,
                REFUSED,
            )
        ],
        nothing=[lambda: expect_all_succeed([])],
    ),
    "expect_all_within": Controls(
        kept=[
            lambda: expect_all_within([*timed(1, 100), DROPPED, REFUSED, GONE], ms(100)),
            # T6: a refusal that a pool hides until an acquire time-out of D / 2.
            lambda: expect_all_within(timed(504), service(request=seconds(1)).budget.soon),
        ],
        broken=[
            lambda: expect_all_within(timed(1, 101), ms(100)),
            lambda: expect_all_within([OK, SILENT], ms(100)),
            # T6: a refusal that a caller learns at D.
            lambda: expect_all_within(timed(1000), service(request=seconds(1)).budget.soon),
            lambda: expect_all_within(timed(51), service(request=ms(50)).budget.soon),
        ],
        nothing=[lambda: expect_all_within([], ms(100))],
    ),
    "expect_at_most_failures": Controls(
        kept=[
            lambda: expect_at_most_failures([OK, GONE, DROPPED], 2),
            lambda: expect_at_most_failures([OK], 0),
        ],
        broken=[
            lambda: expect_at_most_failures([OK, GONE, DROPPED, SILENT], 2),
            lambda: expect_at_most_failures([GONE], 0),
        ],
        nothing=[lambda: expect_at_most_failures([], 3)],
    ),
    "expect_at_most_sessions": Controls(
        kept=[lambda: expect_at_most_sessions([0, 3, 5], 5)],
        broken=[lambda: expect_at_most_sessions([0, 6, 5], 5)],
        nothing=[lambda: expect_at_most_sessions([], 5)],
    ),
    "expect_conflicts_told": Controls(
        kept=[
            lambda: conflicts(problem(409), twice=()),
            lambda: conflicts(problem(409), twice=(OK, problem(409))),
            lambda: conflicts(problem(422), twice=(OK, problem(422))),
            lambda: conflicts(problem(409), twice=(OK, OK)),
            lambda: conflicts(problem(500), twice=(OK, OK), other=problem(409)),
        ],
        broken=[
            lambda: conflicts(problem(500), twice=(OK, problem(500)), other=problem(409)),
            lambda: conflicts(problem(500), twice=(OK, problem(500))),
            lambda: conflicts(problem(409), twice=(OK, problem(500))),
        ],
        nothing=[
            lambda: conflicts(problem(500), twice=()),
            lambda: conflicts(problem(422), twice=()),
            lambda: conflicts(problem(500), twice=(OK, OK)),
            lambda: conflicts(problem(500), twice=(OK, problem(409))),
            lambda: conflicts(OK, twice=()),
            lambda: expect_conflicts_told(recording()),
        ],
    ),
    "expect_callers_error": Controls(
        kept=[
            lambda: expect_callers_error([problem(409), GRAPHQL], conflict=True),
            lambda: expect_callers_error([OK, problem(409)], conflict=True),
            lambda: expect_callers_error([problem(422), problem(400)], conflict=False),
            *(
                partial(expect_callers_error, [problem(409), one], conflict=conflict)
                for one in (GONE, LATE, problem(408), problem(429), SILENT)
                for conflict in (True, False)
            ),
        ],
        broken=[
            lambda: expect_callers_error([problem(500), GRAPHQL], conflict=True),
            *(
                partial(expect_callers_error, [problem(409), one], conflict=conflict)
                for one in (problem(500), DROPPED, written("t", 503))
                for conflict in (True, False)
            ),
            *(
                partial(expect_callers_error, [one], conflict=conflict)
                for one in (GONE, LATE, problem(408), problem(429), SILENT)
                for conflict in (True, False)
            ),
            lambda: expect_callers_error([problem(422)], conflict=True),
        ],
        nothing=[
            lambda: expect_callers_error([OK, GRAPHQL], conflict=True),
            lambda: expect_callers_error([], conflict=True),
            lambda: expect_callers_error([OK], conflict=False),
        ],
    ),
    "expect_constant": Controls(
        kept=[lambda: expect_constant([(12,)], [(12,)], what="stock")],
        broken=[
            lambda: expect_constant([(12,)], [(11,)], what="stock"),
            lambda: expect_constant([(12,)], [], what="stock"),
        ],
        nothing=[],  # a value is always there to be judged
    ),
    "expect_constant_titles": Controls(
        kept=[
            lambda: expect_constant_titles([GONE, GONE, OK, DROPPED], ERRORS),
            lambda: expect_constant_titles([GONE, problem(504, title="Late")], ERRORS),
            lambda: expect_constant_titles([titled("a", "A"), titled("b", "B")], ERRORS),
            *(
                partial(expect_constant_titles, [GONE, titled(one, "A"), titled(one, "B")], ERRORS)
                for one in OF_A_STATUS
            ),
        ],
        broken=[
            lambda: expect_constant_titles([titled("a", "A"), titled("a", "B")], ERRORS),
            lambda: expect_constant_titles([GONE, problem(503, title="Late")], ERRORS),
            *(
                partial(expect_constant_titles, [titled(one, "A"), titled(one, "B")], ERRORS)
                for one in (
                    "https://shop.example/rfc9110#section-15.5.1",
                    "https://tools.ietf.org/html/rfc9110",
                    "https://tools.ietf.org/html/rfc9457#section-4.2.1",
                )
            ),
        ],
        nothing=[
            lambda: expect_constant_titles([], ERRORS),
            lambda: expect_constant_titles([OK, DROPPED], ERRORS),
            lambda: expect_constant_titles([GONE], OWN),
            lambda: expect_constant_titles([HTML, titled("a", None)], ERRORS),
            lambda: expect_constant_titles([titled(OF_A_STATUS[0], "A")], ERRORS),
        ],
    ),
    "expect_error_media_type": Controls(
        kept=[
            lambda: expect_error_media_type([GONE, GRAPHQL], ERRORS),
            lambda: expect_error_media_type([OK, GONE, DROPPED], ERRORS),
            lambda: expect_error_media_type(
                [problem(503, media_type="Application/Problem+JSON; charset=utf-8")], ERRORS
            ),
            lambda: expect_error_media_type([HTML], Errors(media_type="Text/HTML")),
        ],
        broken=[
            lambda: expect_error_media_type([HTML, GRAPHQL], ERRORS),
            lambda: expect_error_media_type([GONE, HTML], ERRORS),
            lambda: expect_error_media_type([GONE, BARE], ERRORS),
            lambda: expect_error_media_type([GONE, NOT_STATUS], ERRORS),
        ],
        nothing=[
            lambda: expect_error_media_type([OK, GRAPHQL, SILENT], ERRORS),
            lambda: expect_error_media_type([], ERRORS),
            lambda: expect_error_media_type([OK, DROPPED, SILENT, REFUSED], ERRORS),
        ],
    ),
    "expect_health_routes": Controls(
        kept=[
            lambda: expect_health_routes(ROUTES),
            lambda: expect_health_routes(ROUTES, [OK, SILENT], [OK]),
        ],
        broken=[
            lambda: expect_health_routes(ROUTES, [OK], [OK, GONE]),
            lambda: expect_health_routes(ROUTES, [OK, REFUSED], [OK]),
            lambda: expect_health_routes(ROUTES, [SILENT], [OK]),
            lambda: expect_health_routes(Health(live=None, ready="/ready")),
            lambda: expect_health_routes(Health(live="/live", ready=None)),
            lambda: expect_health_routes(Health(live=None, ready=None)),
        ],
        nothing=[lambda: expect_health_routes(ROUTES, [])],
    ),
    "expect_failing_component_named": Controls(
        kept=[
            lambda: expect_failing_component_named([OK, unhealthy(checks={"db": "x"})]),
            lambda: expect_failing_component_named([unhealthy(detail="no database")]),
            lambda: expect_failing_component_named([answer(503, body=b"DB unreachable")]),
            lambda: expect_failing_component_named(
                [unhealthy(checks={"primary": [{"status": "fail", "output": "refused"}]})]
            ),
            lambda: expect_failing_component_named([unhealthy(orders=False)]),
            lambda: expect_failing_component_named(
                [unhealthy(db="down"), answer(json={"status": "UP", "version": "1.2"})]
            ),
            lambda: expect_failing_component_named(
                [unhealthy(db="down", disk={"status": "UP", "details": {}})]
            ),
            lambda: expect_failing_component_named([unhealthy(checks={"repo": "disconnected"})]),
            lambda: expect_failing_component_named([unhealthy(repo={"status": "Unavailable"})]),
            lambda: expect_failing_component_named([unhealthy(failing=["orders-store"])]),
            lambda: expect_failing_component_named([unhealthy(down=[{"name": "orders-store"}])]),
            # It passes where readiness does, and says another thing where that fails.
            lambda: component_says({"repo": "ok"}, {"repo": "no answer in 1 s"}),
            lambda: component_says([{"id": 1, "status": "up"}], [{"id": 1, "status": "lost"}]),
            lambda: component_says({"repo": True}, {"repo": None}),
        ],
        broken=[
            lambda: expect_failing_component_named([unhealthy(db="down"), unhealthy()]),
            lambda: expect_failing_component_named([answer(503)]),
            lambda: expect_failing_component_named([answer(503, body=b"Service Unavailable")]),
            lambda: expect_failing_component_named([unhealthy(checks={"x": {"status": "up"}})]),
            lambda: expect_failing_component_named([says("pass"), unhealthy()]),
            lambda: expect_failing_component_named([says("pass"), says("unavailable", 503)]),
            lambda: expect_failing_component_named([unhealthy(failing=[]), unhealthy(down=True)]),
            lambda: expect_failing_component_named([unhealthy(checks={"repo": "no answer"})]),
            lambda: component_says({"repo": "ok"}, {"repo": "up"}),
            lambda: component_says({"repo": "ok"}, {}),
            lambda: component_says({"message": "ok"}, {"message": "try again"}),
            lambda: component_says({"started": "10:01"}, {"started": "10:02"}),
            lambda: expect_failing_component_named(
                [unhealthy(db="down", disk={"status": "UP", "details": {"free": 3}})]
            ),
            lambda: expect_failing_component_named(
                [unhealthy(db="down"), answer(json={"checks": [{"status": "ok", "version": "9"}]})]
            ),
        ],
        nothing=[
            lambda: expect_failing_component_named([]),
            lambda: expect_failing_component_named([OK, SILENT]),
        ],
    ),
    "expect_found_mistakes_told": Controls(
        kept=[
            lambda: expect_found_mistakes_told(recording(notes={"found": (answer(400),)})),
            lambda: expect_found_mistakes_told(recording(notes={"found": (OK, answer(422))})),
        ],
        broken=[
            lambda: expect_found_mistakes_told(recording(notes={"found": (problem(500),)})),
            lambda: expect_found_mistakes_told(
                recording(notes={"found": (answer(400, operation=WRITE), problem(500))})
            ),
        ],
        nothing=[
            lambda: expect_found_mistakes_told(recording()),
            lambda: expect_found_mistakes_told(recording(notes={"found": (OK,)})),
        ],
    ),
    "expect_free_event_loop": Controls(
        kept=[
            lambda: free_loop(250),
            lambda: free_loop(150),
            lambda: free_loop(100, 50, 100),
            lambda: free_loop(100, 50, 50, 2, 48),
        ],
        broken=[
            lambda: free_loop(100, 53, 97),
            lambda: free_loop(50, 50, 50, 50, 50),
            lambda: free_loop(250, failing=1),
        ],
        nothing=[
            free_loop,
            lambda: free_loop(149),
        ],
    ),
    "expect_honest_statuses": Controls(
        kept=[
            lambda: honest([GONE, GRAPHQL], gone=True),
            lambda: honest([GONE], gone=True),
            lambda: honest([GONE, LATE], WRITE, gone=True),
            lambda: honest([GONE, LATE], gone=False),
            lambda: honest([OK, GONE], gone=False),
            lambda: honest([GONE, answer(429)], gone=True),
            lambda: honest([GONE, answer(409), answer(423)], WRITE, gone=False, locked=True),
            lambda: honest([answer(202)], replace(WRITE, undetermined=frozenset({202})), gone=True),
            lambda: honest([answer(409)], replace(WRITE, refused=frozenset({409})), gone=False),
        ],
        broken=[
            lambda: honest([problem(500), GRAPHQL], gone=True),
            lambda: honest([GONE, LATE], gone=True),
            lambda: honest([answer(429), problem(500)], gone=True),
            lambda: honest([answer(409)], WRITE, gone=False),
            lambda: honest([problem(500)], WRITE, gone=False, locked=True),
            lambda: honest([answer(409)], replace(WRITE, refused=frozenset({423})), gone=True),
            lambda: honest([problem(500)], replace(WRITE, refused=frozenset({500})), gone=True),
            *(
                partial(honest, [GONE, one], WRITE, gone=gone)
                for one in (problem(500), problem(502), problem(404), DROPPED, SILENT, REFUSED)
                for gone in (True, False)
            ),
        ],
        nothing=[
            lambda: honest([OK, GRAPHQL], gone=True),
            lambda: honest([], gone=True),
            lambda: honest([answer(429)] * 2, gone=True),
        ],
    ),
    "expect_kept_trace_ids": Controls(
        kept=[
            lambda: expect_kept_trace_ids([parented(GONE), GONE, OK], "error ABAD1 again"),
            lambda: expect_kept_trace_ids([parented(problem(500, trace_id="abad1"))], ""),
            lambda: expect_kept_trace_ids([parented(answer(503, headers={"X": "0-abad1-1"}))], ""),
            lambda: expect_kept_trace_ids([parented(problem(500, trace_id="abad1"))], None),
            lambda: many_kept(160, sampled),
            lambda: many_kept(160, sampled, apart=0.0),
        ],
        broken=[
            lambda: expect_kept_trace_ids([parented(GONE)], "error abad again"),
            lambda: expect_kept_trace_ids([parented(problem(500, trace_id="abad2"))], ""),
            lambda: many_kept(160, lambda _number: False),
            lambda: many_kept(160, lambda number: number % 4 != 3, apart=0.0),
            lambda: many_kept(160, lambda number: number < 40),
            # What an answer tells is no line of a log.
            lambda: expect_kept_trace_ids(
                [*[parented(problem(500, trace_id="abad1"))] * 100, parented(GONE)], ""
            ),
        ],
        nothing=[
            lambda: expect_kept_trace_ids([], "abad1"),
            lambda: expect_kept_trace_ids([GONE], "abad1"),
            lambda: expect_kept_trace_ids([parented(GONE)], None),
            lambda: expect_kept_trace_ids([parented(OK), parented(problem(404))], "abad1"),
        ],
    ),
    "expect_near_baseline": Controls(
        kept=[
            lambda: near(flat(100), ceiling=ms(100)),
            lambda: near(Latencies(flat(1, 198).samples + flat(900, 2).samples), ceiling=ms(100)),
            lambda: near(flat(1, SAMPLES // 2), ceiling=ms(100)),
        ],
        broken=[
            lambda: near(flat(101), ceiling=ms(100)),
            lambda: near(flat(900, 3), ceiling=ms(100)),
            lambda: near(Latencies(flat(1, 197).samples + flat(900, 3).samples), ceiling=ms(100)),
        ],
        nothing=[
            lambda: near(flat(1, 0), ceiling=ms(100)),
            lambda: near(flat(1, SAMPLES // 2 - 1), ceiling=ms(100)),
            lambda: near(Latencies(flat(1, 198).samples + flat(900, 1).samples), ceiling=ms(100)),
            lambda: near(flat(900, 2), ceiling=ms(100)),
        ],
    ),
    "expect_no_leak": Controls(
        kept=[lambda: expect_no_leak([OK, GONE, DROPPED])],
        broken=[
            lambda: expect_no_leak([OK, problem(500, detail="as ⟨dsn.user⟩")]),
            lambda: expect_no_leak([answer(500, body=b"SELECT 1 FROM a")]),
        ],
        nothing=[lambda: expect_no_leak([])],
    ),
    "expect_no_flapping": Controls(
        kept=[
            lambda: flapping("..xxx.."),
            lambda: flapping("xxx"),
            lambda: flapping("..x"),
            lambda: flapping("xx..", before="x.x."),
            # Each worker knows of it up to a period, four probes, later than the first one.
            lambda: flapping("..x.xxxxxx.x..", workers=2),
            lambda: flapping("x.xxxxxxxxx.x.", workers=2),
            # And is back at any time of the recovery, two seconds from the 40th probe on.
            lambda: flapping("x" * 41 + ONE_BY_ONE + "....", workers=4),
            lambda: flapping("x" * 37 + "." + "x" * 9 + "." * 9, workers=4),
        ],
        broken=[
            lambda: flapping("x.x"),
            lambda: flapping("..xx.x.."),
            lambda: flapping(".x.x.x.x.x.x.x.x.", workers=2),
            lambda: flapping(".xxxxxx......xxxx.", workers=2),
            lambda: flapping("x" * 41 + ONE_BY_ONE + "...."),
            lambda: flapping("xxx" + ONE_BY_ONE + "x" * 31 + "....", workers=4),
            lambda: flapping("x" * 41 + "." * 8 + "xxxxxx....", workers=4),
            lambda: flapping("." * 28 + "xxxxx.....xxxxx....", workers=4),
        ],
        nothing=[
            lambda: flapping(""),
            lambda: flapping("....", before="x"),
            lambda: expect_no_flapping(recording(declared=WITHOUT_ROUTES)),
        ],
    ),
    "expect_no_sessions_left_behind": Controls(
        kept=[lambda: left_behind(4), lambda: left_behind(0), lambda: left_behind(7, 4)],
        broken=[lambda: left_behind(5), lambda: left_behind(4, 7)],
        nothing=[
            left_behind,
            lambda: left_behind(7, steady=False),
            lambda: left_behind(7, recovery=None),
        ],
    ),
    "expect_none_doubled": Controls(
        kept=[
            lambda: expect_none_doubled([written("a"), written("b", 503)], {"a": 1, "b": 0}),
            lambda: expect_none_doubled([written("a")], {"a": 1, "another's": 2}),
        ],
        broken=[
            lambda: expect_none_doubled([written("a"), written("b")], {"a": 1, "b": 2}),
            lambda: expect_none_doubled([written("a", 503)], {"a": 3}),
        ],
        nothing=[
            lambda: expect_none_doubled([], {}),
            lambda: expect_none_doubled([written("a", 503)], {"a": 0}),
            lambda: expect_none_doubled([written("a")], {"another's": 2}),
        ],
    ),
    "expect_none_repeated": Controls(
        kept=[
            lambda: expect_none_repeated([written("a"), written("b", 503)], {"a": 1, "b": 0}),
            lambda: expect_none_repeated([written("a")], {"a": 1, "another's": 2}),
        ],
        broken=[
            lambda: expect_none_repeated([written("a"), written("b")], {"a": 1, "b": 2}),
            lambda: expect_none_repeated([written("a", 504)], {"a": 2}),
        ],
        nothing=[
            lambda: expect_none_repeated([], {}),
            lambda: expect_none_repeated([written("a", 503)], {"a": 0}),
        ],
    ),
    "expect_none_idle_in_transaction": Controls(
        kept=[
            lambda: idle(0.0, idle=1, active=1, starting=1),
            lambda: idle(0.9, idle_in_transaction=1),
            lambda: idle(1.0, idle_in_transaction=1),
            lambda: idle(0.0),
        ],
        broken=[
            lambda: idle(1.1, idle=1, idle_in_transaction=1),
            lambda: expect_none_idle_in_transaction(
                SessionLook(100.0, {"idle in transaction (aborted)": 1}, 1.1),
                longer_than=seconds(1),
            ),
        ],
        nothing=[lambda: expect_none_idle_in_transaction(None, longer_than=seconds(1))],
    ),
    "expect_none_made_up": Controls(
        kept=[lambda: expect_none_made_up({"a": 1, "b": 2})],
        broken=[lambda: expect_none_made_up({"a": 1, "b": 0})],
        nothing=[lambda: expect_none_made_up({})],
    ),
    "expect_none_succeed": Controls(
        kept=[
            lambda: expect_none_succeed([GRAPHQL]),
            lambda: expect_none_succeed([GONE, problem(404), DROPPED, SILENT, REFUSED]),
            lambda: expect_none_succeed([answer(302)]),
            lambda: expect_none_succeed(
                [GONE, answer(200, elapsed=seconds(2))], sooner_than=seconds(2)
            ),
        ],
        broken=[
            lambda: expect_none_succeed([GRAPHQL, answer(json={"data": {"orders": []}})]),
            lambda: expect_none_succeed([GONE, OK]),
            lambda: expect_none_succeed([GONE, answer(206)]),
            lambda: expect_none_succeed(
                [answer(200, elapsed=seconds(1.9))], sooner_than=seconds(2)
            ),
        ],
        nothing=[lambda: expect_none_succeed([])],
    ),
    "expect_parallel": Controls(
        kept=[
            # Two rounds of 100 ms: 1.5 times that, 200 ms and the 40 ms of the plain ones.
            lambda: parallel(timed(100, 100, 200, 540)),
            lambda: parallel(timed(390), connections=5),
            # What is refused at once was not served; two are one round: 390 ms.
            lambda: parallel([*timed(100, 390), GONE, GONE]),
            lambda: parallel(timed(100, 200, 300, 900), plain=(*timed(100, 200, 300, 400),)),
            lambda: parallel(timed(100, 100, 200, 500), waiting=2),
            # Six are served by connections that were opened for them, and end together.
            lambda: parallel(timed(100, 200, 300, *[900] * 6), connections=4),
        ],
        broken=[
            lambda: parallel(timed(100, 200, 300, 541)),
            lambda: parallel(timed(*range(100, 1300, 60)), connections=10, opened=4),
            lambda: parallel([*timed(100, 391), GONE, GONE]),
            lambda: parallel([*timed(100), GONE, GONE, GONE]),
            lambda: parallel([*timed(100), answer(started=100.35, elapsed=ms(100))]),
            # One at a time in each process, and threads that wait for one another, too.
            lambda: by_threads(1, connections=10),
            lambda: by_threads(1, connections=15),
            lambda: by_threads(2, connections=10, workers=2),
            lambda: by_threads(4, connections=15, workers=4),
            lambda: by_threads(3, connections=10, each=ms(500)),
        ],
        nothing=[
            lambda: parallel([]),
            lambda: parallel(timed(100), plain=()),
            # Gunicorn's threads, Puma's, and those of several processes.
            lambda: by_threads(4, connections=15),
            lambda: by_threads(3, connections=10),
            lambda: by_threads(6, connections=15, workers=2),
        ],
    ),
    "expect_process_alive": Controls(
        kept=[
            lambda: expect_process_alive(recording()),
            # One of them goes on, or ended before or later than the fault can explain.
            lambda: expect_process_alive(workers_ended(7, {12: 101.1})),
            lambda: expect_process_alive(workers_ended(7, {11: 100.9, 12: 101.1})),
            lambda: expect_process_alive(workers_ended(7, {11: 102.5, 12: 103.2})),
            lambda: expect_process_alive(workers_ended(7, {11: 101.1, 12: 102.9})),
            # They finished what was under way, all but one whose connection was just closed.
            lambda: expect_process_alive(workers_ended(1, {11: 101.1, 12: 101.2})),
            lambda: expect_process_alive(
                workers_ended(7, {11: 101.1, 12: 101.2}, requests_from=102.5)
            ),
            # They were stopped with their supervisor.
            lambda: expect_process_alive(
                workers_ended(7, {11: 101.1, 12: 101.2}, same_process=False)
            ),
            lambda: expect_process_alive(
                workers_ended(
                    7, {11: 101.1, 12: 101.2}, stopped=Stopped(101.0, 101.3, 0, seconds(5), 1)
                )
            ),
        ],
        broken=[
            lambda: expect_process_alive(recording(process=ProcessEnd(1, seconds(1), ()))),
            lambda: expect_process_alive(recording(process=ProcessEnd(-9, seconds(1), ("x",)))),
            lambda: expect_process_alive(workers_ended(2, {11: 101.1, 12: 101.9})),
            lambda: expect_process_alive(
                workers_ended(2, {11: 110.2, 12: 110.3}, requests_from=109.9)
            ),
        ],
        nothing=[],
    ),
    "expect_ready_again": Controls(
        kept=[
            lambda: ready_again(ms(10)),
            lambda: ready_again(seconds(2)),
            lambda: ready_again(ms(755), "-+-+++++++"),
            lambda: ready_again(ms(1755), "-+-+--++++++"),
            # A probe of which the machine may have kept something from the service.
            lambda: ready_again(ms(5), "++++++++++~+", late=ms(900)),
            lambda: ready_again(ms(5), "++++++++++~", late=ms(900)),
            lambda: ready_again(ms(5), "++++--------++", for_good=False),
        ],
        broken=[
            lambda: ready_again(ms(2001)),
            lambda: ready_again(None),
            lambda: ready_again(None, "----------"),
            # It passes twice, and then no more; and one of several workers stays unready.
            lambda: ready_again(ms(5), "++------------------"),
            lambda: ready_again(ms(5), "++++--------++++"),
            lambda: ready_again(ms(255), "-++-+--++-+-+--+"),
        ],
        nothing=[
            lambda: expect_ready_again(recording(declared=WITHOUT_ROUTES)),
            lambda: expect_ready_again(recording(declared=SLOW_PACE)),
        ],
    ),
    "expect_recovered": Controls(
        kept=[
            lambda: recovered(True, seconds(2)),
            lambda: recovered(True, seconds(2), declared=SLOW_PACE),
        ],
        broken=[
            lambda: recovered(False, seconds(1)),
            lambda: recovered(True, ms(2001)),
            lambda: recovered(True, seconds(1), same_process=False),
            lambda: expect_recovered(recording(process=ProcessEnd(1, seconds(1), ()))),
            lambda: expect_recovered(recording()),
            lambda: recovered(False, seconds(2), declared=service(pace=6)),
            lambda: recovered(True, ms(1), same_process=False, declared=SLOW_PACE),
            lambda: expect_recovered(recording(declared=SLOW_PACE)),
        ],
        nothing=[lambda: recovered(False, seconds(2), declared=SLOW_PACE)],
    ),
    "expect_refused_absent": Controls(
        kept=[
            lambda: expect_refused_absent([written("a", 503), written("b", 409)], {"c": 1}),
            lambda: expect_refused_absent([written("a", 504), written("b", 503)], {"a": 1}),
            # Asked for again, and done then.
            lambda: expect_refused_absent(
                [written("a", 503), written("a"), written("b", 503)], {"a": 1}
            ),
        ],
        broken=[
            lambda: expect_refused_absent([written("a", 503), written("b", 503)], {"b": 1}),
            lambda: expect_refused_absent([written("a", 409), written("a", 429)], {"a": 2}),
        ],
        nothing=[
            lambda: expect_refused_absent([], {}),
            lambda: expect_refused_absent([written("a"), written("b", 500)], {"a": 1, "b": 1}),
        ],
    ),
    "expect_retry_after": Controls(
        kept=[
            lambda: expect_retry_after([OK, asks_back("1"), asks_back("2", 429), LATE]),
        ],
        broken=[
            lambda: expect_retry_after([asks_back("1"), asks_back(None)]),
            lambda: expect_retry_after([asks_back("1"), asks_back(None, 429)]),
        ],
        nothing=[
            lambda: expect_retry_after([]),
            lambda: expect_retry_after([OK, DROPPED]),
            lambda: expect_retry_after([LATE, problem(500)]),
        ],
    ),
    "expect_refusals_in_log": Controls(
        kept=[
            lambda: refusals(list="+++++++", place="+++++++"),
            lambda: refusals(list="+++++++", place="------+"),
            # Lines that are written late are in another request's time.
            lambda: refusals(list="+++++++", place="--~----"),
            lambda: refusals(list="+++++++", place="-"),
            lambda: refusals(list="+++++++", place="???????"),
            lambda: refusals(list="nnnnnnn", place="-n-----"),
        ],
        broken=[
            lambda: refusals(list="+++++++", place="-------"),
            lambda: refusals(list="nnnnnnn", place="-------"),
            lambda: refusals(list="+++--", place="--"),
            lambda: refusals(list="--", place="+++", cancel="---"),
        ],
        nothing=[
            lambda: expect_refusals_in_log({}),
            lambda: refusals(list="+", place="-"),
            lambda: refusals(list="???????", place="???????"),
            lambda: refusals(list="+++++++", place="-------", status=409),
            # Nothing tells whether the log is written later.
            lambda: refusals(list="-------", place="-------"),
            lambda: refusals(list="+------", place="-------"),
            lambda: refusals(list="~~~~~~~", place="-------"),
        ],
    ),
    "expect_sqlstate_in_log_only": Controls(
        kept=[
            lambda: expect_sqlstate_in_log_only([GONE, OK], "57P01", "a\nerror 57P01\n"),
            lambda: expect_sqlstate_in_log_only([GONE], "57P01", 'sqlstate="57p01"'),
            # The row of that number, as the fault begins, and a length.
            lambda: expect_sqlstate_in_log_only(
                [answer(json=[{"id": 42501, "sku": "42501"}]), GONE], "42501", "42501"
            ),
            lambda: expect_sqlstate_in_log_only(
                [problem(503, headers={"Content-Length": "42501"})], "42501", "42501"
            ),
            lambda: expect_sqlstate_in_log_only(
                [GONE], "57P03", "FATAL:  starting up\n", message="starting up"
            ),
            lambda: expect_sqlstate_in_log_only([GONE], "42501", "code: SqlState(E42501)"),
            *(
                partial(
                    expect_sqlstate_in_log_only,
                    [GONE],
                    "42501",
                    f"{name}: permission denied",
                    condition="insufficient_privilege",
                )
                for name in (
                    "psycopg.errors.InsufficientPrivilege",
                    "asyncpg.exceptions.InsufficientPrivilegeError",
                    "PG::InsufficientPrivilege",
                    "insufficient_privilege",
                )
            ),
        ],
        broken=[
            *(
                partial(expect_sqlstate_in_log_only, [GONE], "57P03", log, message="starting up")
                for log in ("OperationalError\n", "GET /things 503", "pool timed out")
            ),
            # Of a statement sqlx tells the SQLSTATE.
            lambda: expect_sqlstate_in_log_only([GONE], "42501", f"error: {POOL_TIMED_OUT}"),
            lambda: expect_sqlstate_in_log_only([GONE], "57P01", "it failed\n"),
            lambda: expect_sqlstate_in_log_only([GONE], "57P01", "order 157P012"),
            lambda: expect_sqlstate_in_log_only([GONE], "57P01", "order DE57P01"),
            lambda: expect_sqlstate_in_log_only(
                [GONE], "42501", "permission denied", condition="insufficient_privilege"
            ),
            lambda: expect_sqlstate_in_log_only(
                [problem(503, detail="SqlState(E57P01)")], "57P01", "57P01"
            ),
            lambda: expect_sqlstate_in_log_only([problem(503, code="57p01")], "57P01", "57P01"),
            lambda: expect_sqlstate_in_log_only([problem(503, code="57p01")], "57P01", None),
            *(
                partial(expect_sqlstate_in_log_only, [OK, one], "42501", "42501")
                for one in (
                    problem(503, code=42501),
                    problem(503, errors=[{"cause": {"code": 42501}}]),
                    problem(503, detail="42501 refused"),
                    answer(503, body=b"<p>&#52;2501</p>"),
                )
            ),
            lambda: expect_sqlstate_in_log_only(
                [problem(503, headers={"X-Cause": "57P01: ended"})], "57P01", "57P01"
            ),
        ],
        nothing=[
            lambda: expect_sqlstate_in_log_only([], "57P01", "57P01"),
            lambda: expect_sqlstate_in_log_only([OK], "57P01", ""),
            lambda: expect_sqlstate_in_log_only([DROPPED], "57P01", ""),
            lambda: expect_sqlstate_in_log_only([GONE], "57P01", None),
            lambda: expect_sqlstate_in_log_only([problem(409)], "57P01", ""),
            *(
                partial(expect_sqlstate_in_log_only, [GONE], "57P03", log, message="starting up")
                for log in (f"error: {POOL_TIMED_OUT}", "cause=Sqlx(PoolTimedOut)")
            ),
        ],
    ),
    "expect_status_member": Controls(
        kept=[
            lambda: expect_status_member([OK, GONE, LATE], ERRORS),
            lambda: expect_status_member([HTML, BARE, answer(503, json={"title": "x"})], ERRORS),
        ],
        broken=[
            lambda: expect_status_member([GONE, answer(503, json={"status": 500})], ERRORS),
            lambda: expect_status_member([answer(503, json={"status": "503"})], ERRORS),
        ],
        nothing=[
            lambda: expect_status_member([], ERRORS),
            lambda: expect_status_member([GONE], Errors(media_type="text/plain")),
            lambda: expect_status_member([GONE], OWN),
            lambda: expect_status_member([OK, SILENT], ERRORS),
        ],
    ),
    "expect_traceable": Controls(
        kept=[
            lambda: expect_traceable([traced("a1"), OK, problem(404)], ERRORS, "error a1 again"),
            lambda: expect_traceable([problem(500, id="a1")], Errors(trace="id"), "a1"),
            lambda: expect_traceable(
                [problem(500, error={"id": "a1"})], Errors(trace="error.id"), "a1"
            ),
            lambda: expect_traceable([answer(500, json={"a.b": "c"})], Errors(trace="a.b"), "c"),
            lambda: expect_traceable([traced("12")], ERRORS, "GET /things request=12: failed"),
            lambda: many_traceable(160, sampled),
            lambda: many_traceable(160, sampled, apart=0.0),
            # Two lines each.
            lambda: many_traceable(160, lambda number: sampled(number * 2)),
            lambda: expect_traceable([traced(TRACE_ID)], ERRORS, rf"\u0022{TRACE_ID}\u0022"),
            # .NET logs the trace id alone.
            lambda: expect_traceable(
                [traced(f"00-{TRACE_ID}-00f067aa0ba902b7-01")], ERRORS, TRACE_ID.upper()
            ),
        ],
        broken=[
            lambda: expect_traceable([traced("a1"), traced("a2")], ERRORS, "error a1\n"),
            lambda: expect_traceable([traced("a1"), GONE], ERRORS, "error a1\n"),
            lambda: expect_traceable([traced("")], ERRORS, "error\n"),
            lambda: expect_traceable([traced("a1"), GONE], ERRORS, None),
            *(
                partial(expect_traceable, [traced(one)], ERRORS, f"[{one}] failed")
                for one in ("0" * 32, f"00-{'0' * 32}-{'0' * 16}-01", "-", " ", "null")
            ),
            lambda: expect_traceable([traced("12")], ERRORS, "request 512: failed in 120 ms"),
            # A handler that never logs, one operation that does not, and too few for a sampler.
            lambda: many_traceable(160, lambda _number: False),
            lambda: many_traceable(160, lambda number: number % 4 != 3),
            lambda: many_traceable(
                160, lambda number: sampled(number) and number % 4 != 3, apart=0.0
            ),
            lambda: many_traceable(60, lambda number: number < 49),
            lambda: many_traceable(160, lambda number: number < 100, apart=0.05),
            lambda: expect_traceable(
                [*[traced(TRACE_ID)] * 100, GONE], ERRORS, f"error {TRACE_ID}\n"
            ),
            lambda: expect_traceable(
                [traced(f"00-{TRACE_ID}-00f067aa0ba902b7-01")], ERRORS, "00f067aa0ba902b7"
            ),
            lambda: expect_traceable([problem(500, error="a1")], Errors(trace="error.id"), "a1"),
            lambda: expect_traceable([answer(500, body=b"a1")], ERRORS, "a1"),
        ],
        nothing=[
            lambda: expect_traceable([], ERRORS, "a1"),
            lambda: expect_traceable([OK, problem(404)], ERRORS, "a1"),
            lambda: expect_traceable([traced("a1")], Errors(trace=None), "a1"),
            lambda: expect_traceable([traced("a1")], TEXT, "a1"),
            lambda: expect_traceable([traced("a1")], ERRORS, None),
        ],
    ),
    "expect_unavailable": Controls(
        kept=[
            lambda: expect_unavailable([GONE, GRAPHQL]),
            lambda: expect_unavailable([GONE, HTML, BARE]),
            lambda: expect_unavailable([GONE, answer(429)]),
            lambda: expect_unavailable([GONE, LATE, answer(429)], crowd_at=0),
            lambda: expect_unavailable([answer(429)], crowd_at=0),
            lambda: expect_unavailable([problem(500)] * 3 + [GONE] * 27, crowd_at=3),
            # Those who wait for the lock give up one after the other.
            lambda: expect_unavailable([problem(409)] * 9 + [GONE] * 21, crowd_at=3),
            lambda: expect_unavailable([problem(423)] * 9 + [GONE] * 21, crowd_at=3),
            lambda: expect_unavailable([answer(418)] * 30, operations=[TEAPOT], crowd_at=3),
            lambda: expect_unavailable([answer(418), GONE], operations=[TEAPOT]),
        ],
        broken=[
            lambda: expect_unavailable([GRAPHQL, problem(500)]),
            *(
                partial(expect_unavailable, [GONE, one])
                for one in (OK, LATE, DROPPED, SILENT, REFUSED)
            ),
            lambda: expect_unavailable([GONE, problem(500)], crowd_at=0),
            lambda: expect_unavailable([answer(429), answer(404)], crowd_at=0),
            lambda: expect_unavailable([problem(500)] * 4 + [GONE] * 26, crowd_at=3),
            lambda: expect_unavailable([problem(500)] * 4, operations=[UNFORESEEN], crowd_at=3),
            lambda: expect_unavailable([answer(418)] * 30, crowd_at=3),
            lambda: expect_unavailable([answer(409), GONE]),
            lambda: expect_unavailable([answer(418)], operations=[replace(TEAPOT, name="other")]),
        ],
        nothing=[
            lambda: expect_unavailable([GRAPHQL]),
            lambda: expect_unavailable([]),
            lambda: expect_unavailable([answer(429)]),
        ],
    ),
    "expect_undetermined_told": Controls(
        kept=[
            lambda: expect_undetermined_told([written("a", 504), written("b")], {"a": 1, "b": 1}),
            lambda: expect_undetermined_told([written("a", 504), written("b", 503)], {"a": 1}),
            lambda: expect_undetermined_told([written("a", 504), written("a", 409)], {"a": 1}),
        ],
        broken=[
            lambda: expect_undetermined_told([written("a", 504), written("b", 503)], {"b": 1}),
            lambda: expect_undetermined_told([written("a", 409)], {"a": 1}),
        ],
        nothing=[
            lambda: expect_undetermined_told([], {}),
            lambda: expect_undetermined_told([written("a"), written("b", 503)], {"a": 1}),
        ],
    ),
    "expect_unready": Controls(
        kept=[
            lambda: unready(True, True, True),
            lambda: unready(False, True, False, True, True, True, False),
            lambda: unready(True, True, True, every=ms(1497)),
            lambda: unready(True, True, True, False, *[True] * 9, every=ms(500)),
        ],
        broken=[
            lambda: unready(*[False] * 9),
            lambda: unready(True, True, False, True, True),
            lambda: unready(True, True, True, every=ms(1498)),
            lambda: unready(True, True, True, True, True, True, True, False, every=ms(500)),
            lambda: unready(False, True, True, True, every=seconds(1)),
            # What was asked before the onset, or answered after the heal, proves nothing.
            lambda: unready(True, True, True, first=101.9),
            lambda: unready(True, True, True, first=109.6),
            # A wave has its turns within a period, or readiness passed when its time was over.
            lambda: unready(True, True, True, every=ms(1498), declared=service(pace=6)),
            lambda: unready(False, False, False, False, every=ms(1600), declared=SLOW_PACE),
            # Of three seconds it had one and a half.
            lambda: unready(True, True, gaps=(Gap(102.5, 109.0),)),
        ],
        nothing=[
            unready,
            lambda: unready(True, True, True, first=100.0),
            lambda: unready(True, True, gaps=(Gap(102.5, 109.1),)),
            lambda: unready(True, True, True, every=ms(1498), declared=SLOW_PACE),
            lambda: expect_unready(recording(declared=WITHOUT_ROUTES)),
        ],
    ),
    "expect_unusable_values_told": Controls(
        kept=[
            lambda: unusable(problem(422)),
            lambda: unusable(problem(400), found=problem(400)),
            # What the database itself said counts.
            lambda: unusable(problem(500), found=problem(422)),
            lambda: unusable(problem(500), other=problem(422)),
        ],
        broken=[
            *(
                partial(unusable, one, found=found)
                for one in (problem(500), problem(422), OK)
                for found in (problem(500), GONE, DROPPED, problem(429))
            ),
            lambda: unusable(problem(500), found=problem(500), other=problem(422)),
        ],
        nothing=[
            *(partial(unusable, one) for one in (problem(500), GONE, problem(429), SILENT, OK)),
            lambda: unusable(problem(500), other=problem(500)),
            lambda: expect_unusable_values_told(recording()),
        ],
    ),
    "expect_valid_bodies": Controls(
        kept=[
            lambda: expect_valid_bodies([OK, GONE, problem(500, trace_id="x")], ERRORS),
            # RFC 9457 §3.1 requires none of its members.
            *(
                partial(expect_valid_bodies, [GONE, with_members(one)], ERRORS)
                for one in (
                    {"type": "https://shop.example/busy"},
                    {"title": "Busy"},
                    {"status": 503},
                    {"detail": "try later"},
                    {"type": None, "title": "Busy", "status": None},
                )
            ),
            # What Pydantic, serde and Jackson write for a member that has no value.
            lambda: expect_valid_bodies([problem(500, detail=None, instance=None)], ERRORS),
            lambda: expect_valid_bodies([problem(500, title=None)], ERRORS),
            lambda: expect_valid_bodies([problem(500, type=None)], ERRORS),
            lambda: expect_valid_bodies(
                [problem(500, media_type="application/json", detail=None, type=None)], ERRORS
            ),
            lambda: expect_valid_bodies([OK, answer(503, body=b"try later")], TEXT),
            lambda: expect_valid_bodies(
                [answer(500, json={"code": "X"})],
                Errors(schema={"type": "object", "required": ["code"]}),
            ),
            lambda: expect_valid_bodies([answer(500, json=["x"])], Errors(schema=LIST)),
            lambda: expect_valid_bodies([answer(500, body=b"ERR 500")], CODED),
            lambda: expect_valid_bodies([answer(500, json={"e": "ERR 500"})], CODED_JSON),
            lambda: expect_valid_bodies([problem(500, e="ERR 500")], CODED_PROBLEM),
        ],
        broken=[
            lambda: expect_valid_bodies([OK, answer(503, body=b" ")], TEXT),
            lambda: expect_valid_bodies([GONE, HTML], ERRORS),
            lambda: expect_valid_bodies([GONE, BARE], ERRORS),
            lambda: expect_valid_bodies([GONE, NOT_STATUS], ERRORS),
            *(
                partial(expect_valid_bodies, [GONE, with_members(one)], ERRORS)
                for one in (
                    {},
                    {"error": "x"},
                    {"instance": "/orders"},
                    {"detail": ["x"]},
                    {"title": None},
                    {"type": None, "title": None, "status": None, "detail": None},
                    {"title": "Busy", "status": "503"},
                    {"title": "Busy", "status": 42},
                )
            ),
            # What frameworks write by themselves.
            *(
                partial(expect_valid_bodies, [GONE, answer(500, json=one)], errors)
                for one in ({"detail": "x"}, {"status": 500, "error": "x", "path": "/orders"})
                for errors in (ERRORS, Errors(media_type="application/json"))
            ),
            *(
                partial(
                    expect_valid_bodies,
                    [GONE, answer(500, json={"title": "x", "status": 500, name: None})],
                    ERRORS,
                )
                for name in ("title", "status")
            ),
            lambda: expect_valid_bodies([GONE, problem(500, type=["x"])], ERRORS),
            lambda: expect_valid_bodies([answer(500, json=[{"title": "x"}])], ERRORS),
            lambda: expect_valid_bodies([answer(500, json=[1])], Errors(schema=LIST)),
            lambda: expect_valid_bodies([answer(500, body=b"[")], Errors(schema=LIST)),
            lambda: expect_valid_bodies([answer(500, body=b"ERR 500"), HTML], CODED),
            lambda: expect_valid_bodies([answer(500, body=b" ")], CODED),
            lambda: expect_valid_bodies([answer(500, json={"e": "none"})], CODED_JSON),
            lambda: expect_valid_bodies([problem(500, e="none")], CODED_PROBLEM),
            lambda: expect_valid_bodies([answer(500, json={"e": "ERR 500"})], CODED_PROBLEM),
        ],
        nothing=[
            lambda: expect_valid_bodies([], ERRORS),
            lambda: expect_valid_bodies([GONE], Errors(check=lambda _: 1 / 0 > 0)),
            lambda: expect_valid_bodies([GONE], Errors(check=lambda _: None)),  # type: ignore[arg-type,return-value]
            lambda: expect_valid_bodies([OK, DROPPED], ERRORS),
        ],
    ),
    "expect_valid_retry_after": Controls(
        kept=[
            lambda: expect_valid_retry_after([OK, asks_back(None), asks_back("0")]),
            lambda: expect_valid_retry_after([asks_back("120")]),
            lambda: expect_valid_retry_after([asks_back("Wed, 21 Oct 2015 07:28:00 GMT")]),
            lambda: expect_valid_retry_after([asks_back("Wednesday, 21-Oct-15 07:28:00 GMT")]),
            lambda: expect_valid_retry_after([asks_back("Wed Oct 21 07:28:00 2015")]),
            lambda: expect_valid_retry_after([asks_back_at("Wed, 21 Oct 2015 07:28:05 GMT")]),
            # The same second, in which the answer was made.
            lambda: expect_valid_retry_after([asks_back_at("Wed, 21 Oct 2015 07:27:59 GMT")]),
        ],
        broken=[
            partial(expect_valid_retry_after, [asks_back("1"), asks_back(one)])
            for one in (
                "",
                "-1",
                "1.5",
                "soon",
                "1 s",
                "2015-10-21T07:28:00Z",
                "٣",
                "1, 2",
                "1 Jan 99999999999 07:28:00 GMT",
                "Wed, 21 Oct 2015 07:28:00",
                "Wed, 21 Oct 2015 07:28:00 +0200",
            )
        ]
        + [
            lambda: expect_valid_retry_after([asks_back_at("Wed, 21 Oct 2015 07:27:30 GMT")]),
        ],
        nothing=[
            lambda: expect_valid_retry_after([]),
            lambda: expect_valid_retry_after([OK, asks_back(None)]),
        ],
    ),
    "expect_whole_answers": Controls(
        kept=[
            lambda: expect_whole_answers([GRAPHQL], like=[ORDERS, ORDERS]),
            lambda: expect_whole_answers(
                [ROWS, answer(json=[{"sku": "x", "id": 9}, {"id": 0, "sku": None}])], like=[ROWS]
            ),
            lambda: expect_whole_answers([GONE, HTML, BARE, LATE, answer(302)], like=[ROWS]),
            lambda: expect_whole_answers([PONG], like=[PONG, PONG]),
            # What varies by itself, and what may: a nonce, a moment, rows in any order.
            lambda: expect_whole_answers([answer(body=b"po")], like=[PONG]),
            lambda: expect_whole_answers([answer(body=b"c")], like=[PONG, answer(body=b"b")]),
            lambda: expect_whole_answers(
                [answer(json={"c": 1})], like=[answer(json={"a": 1}), answer(json={"b": 1})]
            ),
            lambda: expect_whole_answers(
                [answer(json=[{"id": 1}, {}])], like=[answer(json=[{}, {"id": 2}])]
            ),
            # What changes by itself between the first and the last, and what has come since.
            lambda: expect_whole_answers([listed(6)], like=[listed(5), listed(5), listed(6)]),
            lambda: expect_whole_answers([listed(3)], like=[listed(5), listed(5), listed(3)]),
            lambda: expect_whole_answers([listed(6)], like=[listed(5)] * 3),
            lambda: expect_whole_answers(
                [answer(json={"invoice": {"id": 1}, "paid": True})],
                like=[answer(json={"invoice": None})] * 3,
            ),
        ],
        broken=[
            lambda: expect_whole_answers([answer(json={"data": {}})], like=[ORDERS, ORDERS]),
            lambda: expect_whole_answers([ROWS, DROPPED], like=[ROWS]),
            lambda: expect_whole_answers([DROPPED], like=[]),
            lambda: expect_whole_answers([answer(json=[{"id": 1, "sku": "x"}])], like=[ROWS, ROWS]),
            lambda: expect_whole_answers([answer(json=[])], like=[ROWS]),
            lambda: expect_whole_answers([answer(json=[{"id": 1}, {"id": 2}])], like=[ROWS]),
            lambda: expect_whole_answers([answer(body=ROWS.body[:-5])], like=[ROWS]),
            lambda: expect_whole_answers([answer(body=b"po")], like=[PONG, PONG]),
            lambda: expect_whole_answers([listed(3)], like=[listed(5)] * 3),
            lambda: expect_whole_answers(
                [answer(json={"orders": None})], like=[answer(json={"orders": [{"id": 1}]})] * 3
            ),
            lambda: expect_whole_answers([answer(json={"error": "x"})], like=[listed(0)]),
            lambda: expect_whole_answers(
                [answer(json=[{"id": 1}, {"error": "x"}])], like=[answer(json=[{"id": 1}] * 2)]
            ),
        ],
        nothing=[lambda: expect_whole_answers([], like=[ROWS])],
    ),
    "expect_whole_pool": Controls(
        kept=[
            lambda: whole_pool(timed(100, 100, 200, 500), before=timed(100, 100, 150, 150)),
            # Before the fault it was no faster: 1.5 times 400 ms and 200 ms are 800 ms.
            lambda: whole_pool(timed(100, 100, 200, 800), before=timed(100, 200, 300, 400)),
        ],
        broken=[
            lambda: whole_pool(timed(100, 100, 200, 501), before=timed(100, 100, 150, 150)),
            lambda: whole_pool(timed(100, 100, 200, 801), before=timed(100, 200, 300, 400)),
            lambda: whole_pool([*timed(100, 100, 200), GONE], before=timed(100, 100, 150, 150)),
            lambda: whole_pool(timed(100), alone=GONE, before=timed(100)),
        ],
        nothing=[
            lambda: whole_pool([], before=timed(100)),
            lambda: whole_pool(timed(100), before=[]),
        ],
    ),
    **LEFT_BEHIND,
    **SWEEP,
    **LIFECYCLE,
    **RECOVERY,
    **SHARING,
}


def test_what_failed_without_the_fault_too_cannot_be_compared() -> None:
    with pytest.raises(NotAssessable, match="before the fault, too"):
        whole_pool([*timed(100), GONE], before=[*timed(100), GONE])
    with pytest.raises(NotAssessable, match=r"by itself failed .*: list: status 503"):
        parallel(timed(100, 100), alone=GONE)


@pytest.mark.parametrize("late", [timed(100, 200, 300, 541), [*timed(100), GONE, GONE, GONE]])
def test_requests_that_needed_new_connections_are_not_accused(late: list[Answer]) -> None:
    with pytest.raises(NotAssessable, match="opened 3 connections for 4 requests at once"):
        parallel(late, opened=3)
    with pytest.raises(NotAssessable, match="wait for each other's locks in the database"):
        parallel(late, waiting=1)


def cases(of: Callable[[Controls], Sequence[Judgement]]) -> list[object]:
    return [
        pytest.param(judgement, id=f"{name}-{number}")
        for name, controls in CONTROLS.items()
        for number, judgement in enumerate(of(controls))
    ]


def test_every_judgement_has_its_controls() -> None:
    assert sorted(CONTROLS) == sorted(brownout.expectations.__all__)
    assert all(controls.kept and controls.broken for controls in CONTROLS.values())


@pytest.mark.parametrize("judgement", cases(lambda controls: controls.kept))
def test_the_sound_passes(judgement: Judgement) -> None:
    judgement()


@pytest.mark.parametrize("judgement", cases(lambda controls: controls.broken))
def test_the_broken_is_rejected_with_what_was_expected_and_what_was_seen(
    judgement: Judgement,
) -> None:
    with pytest.raises(ContractViolation) as violation:
        judgement()
    assert violation.value.violation.promise
    assert violation.value.violation.expected
    assert violation.value.violation.observed


@pytest.mark.parametrize("judgement", cases(lambda controls: controls.nothing))
def test_nothing_is_no_evidence(judgement: Judgement) -> None:
    with pytest.raises(BrownoutError):
        judgement()


def test_where_no_request_failed_there_is_no_error_to_judge() -> None:
    for judge in (expect_error_media_type, expect_status_member, expect_valid_bodies):
        with pytest.raises(NotAssessable, match="No request failed"):
            judge([OK, OK], ERRORS)


def test_where_requests_hung_nothing_is_known_of_errors() -> None:
    with pytest.raises(NotAssessable, match="1 of 2 requests got no answer in time, which T1"):
        expect_error_media_type([OK, SILENT], ERRORS)


def test_where_requests_broke_off_an_error_may_have_been_lost() -> None:
    with pytest.raises(BrownoutError, match="No error was seen to judge") as unknown:
        expect_error_media_type([OK, SILENT, DROPPED], ERRORS)
    assert not isinstance(unknown.value, NotAssessable)


def test_what_violates_a_promise_is_counted_by_its_status() -> None:
    wrong = [problem(401), problem(500), problem(401), DROPPED]
    with pytest.raises(ContractViolation) as broken:
        raise_if_any([*wrong, OK], wrong, promise="Each succeeds.", expected="a success")
    assert broken.value.violation.observed.startswith(
        "4 of 5 violated this (2 × 401, 1 × 500, 1 × connection dropped without a whole answer); "
        "the first: "
    )
    with pytest.raises(ContractViolation) as alike:
        raise_if_any([*wrong, OK], wrong[:1], promise="Each succeeds.", expected="a success")
    assert alike.value.violation.observed.startswith("1 of 5 violated this; the first: ")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"code": "E", "api_key": "abcd1234"}, "$.api_key: its value does not fulfil 'type'"),
        ({"code": {"password": "hunter22"}}, "{'password': '…'} is not of type 'string'"),
    ],
)
def test_a_complaint_about_a_body_shows_no_secret_of_it(body: dict[str, object], said: str) -> None:
    schema = {"properties": {"code": {"type": "string"}, "api_key": {"type": "integer"}}}
    with pytest.raises(ContractViolation) as broken:
        expect_valid_bodies([answer(500, json=body)], Errors(schema=schema))
    assert said in broken.value.violation.observed
    assert "abcd1234" not in str(broken.value)
    assert "hunter22" not in str(broken.value)


@pytest.mark.parametrize(
    ("body", "said"), [([{"status": "DOWN"}, 503], True), ({"status": "UP"}, False)]
)
def test_readiness_that_passes_with_a_body_that_fails_is_told(body: object, said: bool) -> None:
    probes = tuple(answer(200, started=102.0 + number, json=body) for number in range(8))
    with pytest.raises(ContractViolation) as violated:
        expect_unready(recording(readiness=probes))
    assert (", with a body that says it fails" in str(violated.value)) is said


@pytest.mark.parametrize(
    ("judge", "content"),
    [
        (lambda: honest([GONE, problem(500)], gone=True), True),
        (lambda: honest([GONE, problem(404)], gone=True), True),
        (lambda: honest([GONE, LATE], gone=True), False),
        (lambda: honest([GONE, SILENT, DROPPED], gone=True), False),
        (lambda: expect_unavailable([problem(500)]), True),
        (lambda: expect_unavailable([OK]), False),
        (lambda: expect_callers_error([problem(500)], conflict=True), True),
        (lambda: expect_callers_error([GONE, SILENT], conflict=True), False),
        (lambda: expect_error_media_type([GONE], OWN), True),
        (lambda: expect_no_leak([answer(500, body=b"Traceback (most recent call last)")]), True),
        (lambda: expect_all_succeed([problem(500)]), False),
    ],
)
def test_what_only_a_slow_machine_could_explain_is_not_called_content(
    judge: Judgement, content: bool
) -> None:
    with pytest.raises(ContractViolation) as caught:
        judge()
    assert caught.value.content is content


@pytest.mark.parametrize(
    ("after", "said"),
    [(2, "2.00 s after Outage() began"), (7.5, "0.50 s after Crash() began")],
)
def test_the_fault_that_began_last_is_said_to_have_ended_the_process(
    after: float, said: str
) -> None:
    later = replace(injected(108.0, 108.1, 109.0, 109.1), fault="Crash()")
    ended = recording(
        injected=(injected(), later), process=ProcessEnd(1, seconds(after), ("boom",))
    )
    with pytest.raises(ContractViolation) as caught:
        expect_process_alive(ended)
    assert said in caught.value.violation.promise
