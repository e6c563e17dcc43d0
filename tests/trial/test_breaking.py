"""An open breaker is watched until its trials can be told apart from other requests."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from brownout import Breaker, ms, seconds
from brownout.trial import breaking
from brownout.trial.breaking import told_apart, trials_allowed
from brownout.trial.load import Stream
from tests.core.made import answer, service

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
