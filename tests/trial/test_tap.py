"""What a request sends is told apart from what the service sends by itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, Self, cast

import pytest

from brownout.engine.direction import StreamDirection
from brownout.engine.wire.events import Event
from brownout.errors import NotAssessable
from brownout.faults import Fault, LostCommitReply
from brownout.trial import Exchange, Stage
from brownout.trial.retries import UnansweredWrites
from tests.core.made import WRITE, answer, service

POLL = "select id from outbox for update skip locked"
FIND = "select id from orders where customer = $1"
PLACE = "insert into orders (customer) values ($1)"
POLLING = [("BEGIN", "I", 9), (POLL, "T", 9), ("COMMIT", "T", 9)]
IN_A_TRANSACTION = [("BEGIN", "I", 1), (FIND, "T", 1), (PLACE, "T", 1), ("COMMIT", "T", 1)]
BY_ITSELF = [(PLACE, "I", 1)]


class Staged:
    """A stage whose service polls whenever it is listened to, and beside each request."""

    def __init__(self, sends: Sequence[tuple[str, str, int]]) -> None:
        self._sends = sends
        self._events: list[Event] = []
        self.faults: list[Fault] = []
        self.exchanges: dict[str, tuple[Exchange, ...]] = {}
        self.declared = service()
        self.postgres = SimpleNamespace(record_wire=lambda: self)
        self.probe = SimpleNamespace(ask=self._ask, burst=self._burst)
        self.service = SimpleNamespace(log_mark=lambda: None, log_since=lambda _: "")

    @property
    def as_stage(self) -> Stage:
        return cast("Stage", self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def take(self) -> list[Event]:
        """What the record has since it was last asked."""
        taken, self._events = self._events, []
        return taken

    async def until(self, *_: object, **__: object) -> None:
        self._note(POLLING)

    async def _ask(self, *_: object) -> Any:
        self._note([*self._sends[:1], *POLLING, *self._sends[1:]])
        return answer()

    async def _burst(self, *_: object) -> None: ...

    @asynccontextmanager
    async def inject(self, fault: Fault) -> AsyncIterator[None]:
        self.faults.append(fault)
        yield

    def exchanged(self, name: str, exchange: Exchange) -> None:
        self.exchanges[name] = (*self.exchanges.get(name, ()), exchange)

    def _note(self, sends: Sequence[tuple[str, str, int]]) -> None:
        up = StreamDirection.UPSTREAM
        self._events += [
            Event(number, float(number), session, up, "Query", sql, None, None, status, 9, None)
            for number, (sql, status, session) in enumerate(sends, len(self._events))
        ]


def unanswered(sends: Sequence[tuple[str, str, int]]) -> Staged:
    """What the trial does with a write that sends this."""
    staged = Staged(sends)
    try:
        asyncio.run(UnansweredWrites().run(staged.as_stage))
    except NotAssessable as reason:
        raise AssertionError(str(reason)) from reason  # or pytest would skip the test
    return staged


def test_begin_and_commit_of_a_request_are_seen_beside_a_worker_that_sends_them_too() -> None:
    plain = unanswered(IN_A_TRANSACTION).exchanges[f"plain {WRITE.name}"][-1]
    own = [(step.sql, step.status) for step in plain.steps if step.session == 1]
    assert own == [("BEGIN", "I"), (FIND, "T"), (PLACE, "T"), ("COMMIT", "T")]
    assert POLL not in {step.sql for step in plain.steps}


@pytest.mark.parametrize(
    ("sends", "whole"),
    [
        pytest.param(IN_A_TRANSACTION, True, id="its COMMIT"),
        pytest.param(BY_ITSELF, False, id="the write"),
    ],
)
def test_what_commits_a_write_is_not_what_commits_beside_it(
    sends: Sequence[tuple[str, str, int]], *, whole: bool
) -> None:
    faults = unanswered(sends).faults
    assert [type(fault) for fault in faults] == [LostCommitReply] * 3
    assert [getattr(fault, "of", None) is None for fault in faults] == [whole] * 3
