"""Observations and declarations, made by hand."""

import json as json_module
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from brownout import (
    Answer,
    Budget,
    Completion,
    Health,
    Operation,
    Outcome,
    Service,
)
from brownout.faults import Outage
from brownout.trial import Injected, Recording, Trial
from brownout.units import ms, seconds

__all__ = [
    "GRAPHQL",
    "READ",
    "TOKEN",
    "WRITE",
    "answer",
    "injected",
    "no_answer",
    "problem",
    "recording",
    "service",
    "timed",
]

TOKEN = "t"  # noqa: S105 - it opens nothing
READ = Operation.read("list", "GET", "/things")
WRITE = Operation.write("place", "POST", "/things", applied="select count(*) where '' = $1")


def answer(
    status: int = 200,
    *,
    body: bytes | None = None,
    json: object = None,
    headers: Mapping[str, str] | None = None,
    operation: Operation = READ,
    token: str = TOKEN,
    started: float = 100.0,
    elapsed: timedelta = ms(5),
) -> Answer:
    """A whole answer; `json` is its body unless `body` is given."""
    return Answer(
        operation.name,
        token,
        Completion.ANSWERED,
        operation.outcome(status),
        started,
        elapsed,
        status,
        tuple((headers or {}).items()),
        json_module.dumps(json).encode() if body is None else body,
    )


def no_answer(
    ending: Completion,
    *,
    operation: Operation = READ,
    token: str = TOKEN,
    started: float = 100.0,
    elapsed: timedelta = ms(5),
) -> Answer:
    """A request that was not answered."""
    return Answer(operation.name, token, ending, Outcome.UNDETERMINED, started, elapsed)


def problem(
    status: int,
    *,
    media_type: str = "application/problem+json",
    headers: Mapping[str, str] | None = None,
    **members: object,
) -> Answer:
    """An error as RFC 9457 has it; `members` are added to its body, or replace what is in it."""
    body = {"type": "about:blank", "title": "Unavailable", "status": status, **members}
    return answer(status, json=body, headers={"Content-Type": media_type, **(headers or {})})


GRAPHQL = replace(
    answer(json={"data": None, "errors": [{"message": "unavailable", "path": ["things"]}]}),
    outcome=Outcome.UNDETERMINED,
)
"""A failure that a 200 tells, as the probe hears it."""


def timed(*milliseconds: float) -> list[Answer]:
    """Answers that took so long, all sent at the same moment."""
    return [answer(elapsed=ms(one)) for one in milliseconds]


def service(
    operations: Sequence[Operation] = (READ, WRITE),
    *,
    command: Sequence[str] = ("serve", "{port}"),
    request: timedelta = seconds(1),
    **fields: object,
) -> Service:
    """A declaration; `fields` are added to it, or replace what is in it."""
    promised = {
        "health": Health(live="/live", ready="/ready"),
        "budget": Budget(request=request, recovery=seconds(2), pool=3),
    }
    return Service(
        command=command,
        operations=operations,
        **{**promised, **fields},  # type: ignore[arg-type]
    )


def injected(
    begun: float = 101.0,
    made: float = 102.0,
    healing: float = 110.0,
    healed: float = 111.0,
    *,
    felt: int = 1,
    required: bool = True,
) -> Injected:
    """An outage, from the 101st to the 111th second of the clock."""
    return Injected("Outage()", begun, made, healing, healed, felt, required)


def recording(
    trial: Trial = Trial("outage", Outage()),  # noqa: B008 - frozen
    **fields: object,
) -> Recording:
    """A recording of ten seconds under a fault, in which nothing else was seen; `fields` replace
    what is in it."""
    empty = Recording(
        trial=trial,
        declared=service(),
        began=100.0,
        ended=120.0,
        answers=(),
        liveness=(),
        readiness=(),
        whole={},
        notes={},
        baselines={},
        sessions=(),
        counted=(),
        opened={},
        injected=(injected(),),
        recovery=None,
        ready_again=None,
        settled=None,
        applied={},
        shown={},
        invariants={},
        phases={},
        exchanges={},
        process=None,
        same_process=True,
        gaps=(),
        log="",
    )
    return replace(empty, **fields)  # type: ignore[arg-type]
