"""What the probes say, from what the watch saw."""

import asyncio
import json
import time

import pytest
from pydantic import SecretStr

from sample_service.observability.health import Health
from sample_service.resilience.database import Database
from sample_service.resilience.pool import Pool
from sample_service.settings import Settings
from tests.sample_service.shop import until

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


class Unwarmed(Unused):
    """Its pool has nothing to open."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = _Full(SETTINGS)


class _Full(Pool):
    async def warm(self) -> None:
        """Nothing is missing."""

    @property
    def size(self) -> int:
        """All of them."""
        return SETTINGS.pool_size


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
    monkeypatch.setattr("sample_service.observability.health.time.monotonic", lambda: later)
    assert (await health.ready()).status_code == 503


class Stumbling(Watching):
    """The first look meets a fault that nobody foresaw."""

    async def look(self) -> bool:
        """As told, but for the first."""
        if not await super().look() or self.looks == 1:
            raise RuntimeError
        return True


async def test_the_watch_outlives_a_fault_of_its_own() -> None:
    health = Stumbling(SETTINGS, Unwarmed())
    health.start()

    async def ready() -> bool:
        return (await health.ready()).status_code == 200

    await until(ready, within=10)
    await health.stop()
    assert health.looks > 1


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
