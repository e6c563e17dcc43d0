"""An open breaker is watched until its trials can be told apart from other requests."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from brownout import Answer, Breaker, Budget, Degraded, Operation, ms, seconds
from brownout.faults import Fault, ServerError
from brownout.trial import Stage, breaking
from brownout.trial.breaking import told_apart, trials_allowed
from brownout.trial.load import Stream
from brownout.trial.tap import Tap
from tests.core.made import READ, WRITE, answer, service
from tests.core.peer import Reply, Request, Then, serving
from tests.trial.staged import staged

BREAKER = Breaker(failures=5, rest=ms(200))
SERVICE = service()
AT_LEAST = trials_allowed(SERVICE, BREAKER, timedelta(0))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaking, "_OPEN", ms(1))


@pytest.mark.asyncio(loop_scope="function")
async def test_it_waits_for_answers_as_long_as_there_are_too_few() -> None:
    crowd = Stream()
    watched = asyncio.create_task(breaking._asked_enough(crowd, SERVICE, BREAKER))
    while not watched.done():
        await crowd.note(answer(503))
        await asyncio.sleep(0.005)
    await watched
    assert told_apart(len(crowd.answers), AT_LEAST)


@pytest.mark.asyncio(loop_scope="function")
async def test_it_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaking, "_OPEN_AT_MOST", ms(50))
    await breaking._asked_enough(Stream(), SERVICE, BREAKER)


@pytest.mark.asyncio(loop_scope="function")
async def test_it_does_not_wait_for_a_service_that_is_gone() -> None:
    crowd = Stream()
    await crowd.end()
    async with asyncio.timeout(1):
        await breaking._asked_enough(crowd, SERVICE, BREAKER)


def test_a_longer_watch_allows_more_trials_and_needs_more_requests() -> None:
    allowed = trials_allowed(SERVICE, BREAKER, seconds(1))
    assert allowed == SERVICE.workers * (5 + 2) * 1.5
    assert allowed * 3 == trials_allowed(SERVICE, replace(BREAKER, trials=3), seconds(1))
    assert not told_apart(int(allowed * 2) - 1, allowed)
    assert told_apart(int(allowed * 2), allowed)


def test_a_degraded_answer_is_looked_at_again_and_once_it_is_too_old_if_that_is_soon() -> None:
    assert breaking._asked_later(seconds(60)) == [seconds(3)]
    assert breaking._asked_later(seconds(10)) == [seconds(3), seconds(11.5)]
    assert breaking._asked_later(seconds(2)) == [seconds(3.5)]


class Conflicting:
    """A stage on which writes end with this status while a fault is in force."""

    def __init__(self, status: int, *operations: Operation) -> None:
        self.declared = service(operations)
        self.probe = self
        self.notes: dict[str, list[Answer]] = {}
        self._status = status
        self._broken = False

    @asynccontextmanager
    async def inject(self, fault: Fault, *, required: bool) -> AsyncIterator[None]:
        assert isinstance(fault, ServerError)
        assert (fault.sqlstate, required) == ("23505", False)
        self._broken = True
        yield
        self._broken = False

    async def ask(self, operation: Operation) -> Answer:
        return answer(self._status if self._broken else 200, operation=operation)

    async def burst(self, operation: Operation, count: int) -> list[Answer]:
        return [await self.ask(operation) for _ in range(count)]

    def note(self, name: str, answers: Iterable[Answer]) -> None:
        self.notes.setdefault(name, []).extend(answers)


async def after_conflicts(stage: Conflicting) -> list[str]:
    await breaking.Breaking._conflict(cast("Stage", stage), READ, BREAKER)
    return [one.operation for one in stage.notes.get("after callers' errors", [])]


@pytest.mark.asyncio(loop_scope="function")
async def test_conflicts_that_a_service_tells_its_callers_are_not_to_open_the_breaker() -> None:
    width = SERVICE.connections
    assert await after_conflicts(Conflicting(409, READ, WRITE)) == (
        [WRITE.name] * width + [READ.name] * width
    )


@pytest.mark.asyncio(loop_scope="function")
@pytest.mark.parametrize("status", [200, 429, 500, 503])
async def test_conflicts_that_it_tells_as_its_own_errors_may_open_it(status: int) -> None:
    assert await after_conflicts(Conflicting(status, READ, WRITE)) == []


@pytest.mark.asyncio(loop_scope="function")
async def test_without_a_write_there_is_no_conflict() -> None:
    assert await after_conflicts(Conflicting(409, READ)) == []


class Counting:
    """A stage and its tap: a breaker that opens when more than half of the requests failed, where
    `opens`; each that reaches the database fails there."""

    def __init__(self, *, answered: int, opens: bool = True) -> None:
        self.declared = SERVICE
        self.probe = self
        self.answers = [answer() for _ in range(answered)]
        self.failed = 0
        self._opens = opens
        self._hits = 0

    async def burst(self, operation: Operation, count: int) -> list[Answer]:
        for _ in range(count):
            reached = not self._opens or self.failed <= len(self.answers) / 2
            self.failed += reached
            self._hits += reached
            self.answers.append(answer(503, operation=operation))
        return self.answers[-count:]

    async def forget(self) -> None:
        self._hits = 0

    async def hit(self) -> bool:
        hits, self._hits = self._hits, 0
        return hits > 0


async def kept_away(stage: Counting) -> None:
    await breaking._until_kept_away(cast("Stage", stage), cast("Tap", stage), READ)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_breaker_that_counts_a_rate_is_asked_until_it_is_open() -> None:
    stage = Counting(answered=30)
    await kept_away(stage)
    assert stage.failed > 30
    assert stage.failed * 2 > 30 + stage.failed


@pytest.mark.asyncio(loop_scope="function")
async def test_a_breaker_that_is_open_is_asked_once_more_at_most() -> None:
    stage = Counting(answered=30)
    stage.failed = 60
    await kept_away(stage)
    assert len(stage.answers) == 30 + SERVICE.connections


@pytest.mark.asyncio(loop_scope="function")
async def test_a_breaker_that_never_opens_is_asked_as_often_as_before() -> None:
    stage = Counting(answered=30, opens=False)
    await kept_away(stage)
    assert stage.failed == 30 + SERVICE.connections * len(SERVICE.needing_database())


MENU = Operation.read("menu", "GET", "/menu", degraded=Degraded(marker="Age", max_age=seconds(60)))


async def asked_again(marked: int, breaker: Breaker | None = None) -> list[Answer]:
    """What comes of a read that is marked so many times after an outage, at an RTO of 200 ms."""
    left = marked

    async def answered(request: Request) -> Reply:
        nonlocal left
        left -= request.path == MENU.path
        age = b"Age: 5\r\n" if left >= 0 else b""
        return Reply(b"HTTP/1.1 200 x\r\nContent-Length: 2\r\n" + age + b"\r\n{}", Then.KEEP)

    budget = Budget(request=ms(100), recovery=ms(200), pool=3)
    assert MENU.degraded is not None
    async with (
        serving(answered) as peer,
        staged(peer, service([READ, MENU], budget=budget, breaker=breaker)) as stage,
    ):
        await breaking.Fallback._until_fresh(stage, MENU, MENU.degraded)
    return list(stage.notes["again menu"])


@pytest.mark.asyncio(loop_scope="function")
async def test_after_an_outage_it_is_asked_until_an_answer_is_not_marked() -> None:
    assert [one.header("age") for one in await asked_again(0)] == [None]
    assert [one.header("age") for one in await asked_again(2)] == ["5", "5", None]


@pytest.mark.asyncio(loop_scope="function")
async def test_a_fallback_that_stays_is_asked_for_until_rto_and_a_breaker_s_rest_are_over() -> None:
    for breaker, limit in ((None, 0.2), (BREAKER, 0.4)):
        answers = await asked_again(10_000, breaker)
        assert {one.header("age") for one in answers} == {"5"}
        assert limit <= answers[-1].started - answers[0].started < limit * 2
