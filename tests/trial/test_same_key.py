"""A key is used again in every way in which callers do it, a restart of the service among them."""

from dataclasses import replace
from typing import cast

import pytest

from brownout import Service
from brownout.trial.declared import SameKey
from tests.core.fakes import FakeService
from tests.core.made import READ, WRITE, service
from tests.core.peer import OK, serving
from tests.trial.staged import staged

pytestmark = pytest.mark.asyncio

KEYED = replace(WRITE, path="/things/{token}", idempotency_header="Idempotency-Key", applied=None)
RECORDED = replace(KEYED, applied="select count(*) from things where token = $1")


async def asked(declared: Service) -> tuple[dict[str, list[str]], int]:
    """The keys of each note, and how often the service was started again."""
    async with serving(OK) as peer, staged(peer, declared) as stage:
        await SameKey().run(stage)
        restarts = cast("FakeService", stage.service).restarts
    return {name: [one.token for one in noted] for name, noted in stage.notes.items()}, restarts


async def test_the_first_key_is_used_again_and_once_more_after_a_restart() -> None:
    keys, restarts = await asked(service([READ, RECORDED]))
    name = RECORDED.name
    [first] = keys[f"first {name}"]
    assert keys[f"again {name}"] == keys[f"restarted {name}"] == [first]
    assert first not in keys[f"pairs {name}"]
    assert restarts == 1


async def test_nothing_is_started_again_that_could_not_be_judged() -> None:
    for declared in (
        service([READ, KEYED]),
        replace(service([READ, RECORDED]), after_start=[["clear"]]),
    ):
        keys, restarts = await asked(declared)
        assert restarts == 0
        assert f"restarted {KEYED.name}" not in keys
