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

KEYED = replace(
    WRITE, name="order", json={"customer": "{token}"}, idempotency_header="Idempotency-Key"
)
BY_TOKEN = replace(WRITE, path="/things/{token}")


async def test_each_write_is_sent_twice_and_not_counted() -> None:
    async with serving(OK) as peer, staged(peer, service([READ, BY_TOKEN, KEYED])) as stage:
        await Twice().run(stage)
        first, second, *keyed = peer.requests
    assert first.path == second.path != "/things/"
    assert len({request.body for request in keyed}) == 1
    assert len({request.headers["idempotency-key"] for request in keyed}) == len(keyed) == 2
    assert {name: len(answers) for name, answers in stage.notes.items()} == {
        f"twice {WRITE.name}": 2,
        "twice order": 2,
    }
    assert stage.answers == []


async def test_it_comes_before_the_fault() -> None:
    async with serving(OK) as peer, staged(peer, service([WRITE])) as stage:
        await run_waves(CONFLICT, stage)
    (made,) = stage.injected
    twice = stage.notes[f"twice {WRITE.name}"]
    assert all(answer.finished <= made.made for answer in twice)
    assert stage.answers
