"""What the probes say, from what the watch saw."""

import asyncio
import json
import time

import pytest
from pydantic import SecretStr

from sample_service.database import Database
from sample_service.health import Health
from sample_service.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="session")

SETTINGS = Settings(database_url=SecretStr("postgresql://x@x/x"), health_interval=0.01)


class Watching(Health):
    """Sees what it is told."""

    reachable = True
    looks = 0

    async def look(self) -> bool:
        """No database is asked."""
        self.looks += 1
        return self.reachable


class Unused(Database):
    """A database whose pool nobody opens."""

    def __init__(self) -> None:
        super().__init__(SETTINGS)


async def statuses(health: Health, seen: list[bool]) -> list[int]:
    """What readiness answers after each look."""
    answers = []
    for reachable in seen:
        health._note(reachable)
        answers.append((await health.ready()).status_code)
    return answers


async def test_the_first_look_that_succeeds_makes_it_ready() -> None:
    assert await statuses(Health(SETTINGS, Unused()), [True]) == [200]


async def test_one_look_that_contradicts_does_not_turn_readiness() -> None:
    seen = [True, False, True, False, True]
    assert await statuses(Health(SETTINGS, Unused()), seen) == [200] * 5


async def test_two_looks_that_agree_turn_it() -> None:
    seen = [True, False, False, True, True]
    assert await statuses(Health(SETTINGS, Unused()), seen) == [200, 200, 503, 503, 200]


async def test_a_watch_that_stopped_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    health = Health(SETTINGS, Unused())
    health._note(True)
    later = time.monotonic() + 60
    monkeypatch.setattr("sample_service.health.time.monotonic", lambda: later)
    assert (await health.ready()).status_code == 503


async def test_a_service_that_drains_is_alive_and_not_ready() -> None:
    health = Health(SETTINGS, Unused())
    health._note(True)
    health.drain()
    assert (await health.live()).status_code == 200
    answer = await health.ready()
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/health+json"
    assert json.loads(bytes(answer.body))["status"] == "fail"


async def test_probes_cost_the_database_nothing() -> None:
    health = Watching(SETTINGS, Unused())
    await asyncio.gather(*(probe() for probe in (health.ready, health.live, health.startup) * 50))
    assert health.looks == 0
