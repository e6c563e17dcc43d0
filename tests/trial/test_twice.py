"""The same write twice, to see whether a caller can cause a duplicate key."""

from dataclasses import replace

import pytest

from brownout.trial.declared import Twice
from brownout.trial.plan import CONFLICT
from brownout.trial.waves import run_waves
from tests.core.made import READ, WRITE, service
from tests.core.peer import OK, serving
from tests.trial.staged import staged

pytestmark = pytest.mark.asyncio

KEYED = replace(WRITE, name="order", idempotency_header="Idempotency-Key")
BY_TOKEN = replace(WRITE, path="/things/{token}")


async def test_each_write_without_a_key_is_sent_twice_and_not_counted() -> None:
    async with serving(OK) as peer, staged(peer, service([READ, BY_TOKEN, KEYED])) as stage:
        await Twice().run(stage)
        first, second = (request.path for request in peer.requests)
    assert first == second != "/things/"
    assert list(stage.notes) == [f"twice {WRITE.name}"]
    assert len(stage.notes[f"twice {WRITE.name}"]) == 2
    assert stage.answers == []


async def test_it_comes_before_the_fault() -> None:
    async with serving(OK) as peer, staged(peer, service([WRITE])) as stage:
        await run_waves(CONFLICT, stage)
    (made,) = stage.injected
    twice = stage.notes[f"twice {WRITE.name}"]
    assert all(answer.finished <= made.made for answer in twice)
    assert stage.answers
