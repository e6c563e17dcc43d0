"""The probes report what the watch saw."""

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
    """Reports `reachable` without asking a database."""

    reachable = True
    checks = 0

    async def check(self) -> bool:
        """Count the check."""
        self.checks += 1
        return self.reachable


class Unused(Database):
    """A database whose pool is never opened."""

    def __init__(self) -> None:
        super().__init__(SETTINGS)


class Full(Unused):
    """A database whose pool has nothing left to open."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = _FullPool(SETTINGS)


class _FullPool(Pool):
    async def warm(self) -> None:
        """Do nothing."""

    @property
    def size(self) -> int:
        """The maximum."""
        return SETTINGS.pool_size


async def statuses(health: Health, seen: list[bool]) -> list[int]:
    """Return what readiness answers after each check."""
    answers = []
    for reachable in seen:
        health._note(reachable)
        answers.append((await health.ready()).status_code)
    return answers


async def test_the_first_successful_check_makes_it_ready() -> None:
    assert await statuses(Health(SETTINGS, Unused()), [True]) == [200]


async def test_one_contradicting_check_does_not_change_readiness() -> None:
    seen = [True, False, True, False, True]
    assert await statuses(Health(SETTINGS, Unused()), seen) == [200] * 5


async def test_two_agreeing_checks_change_it() -> None:
    seen = [True, False, False, True, True]
    assert await statuses(Health(SETTINGS, Unused()), seen) == [200, 200, 503, 503, 200]


async def test_a_watch_that_stopped_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    health = Health(SETTINGS, Unused())
    health._note(True)
    later = time.monotonic() + 60
    monkeypatch.setattr("sample_service.observability.health.time.monotonic", lambda: later)
    assert (await health.ready()).status_code == 503


class Stumbling(Watching):
    """The first check raises an unexpected exception."""

    async def check(self) -> bool:
        """Raise on the first check."""
        if not await super().check() or self.checks == 1:
            raise RuntimeError
        return True


async def test_the_watch_survives_an_unexpected_exception() -> None:
    health = Stumbling(SETTINGS, Full())
    health.start()

    async def ready() -> bool:
        return (await health.ready()).status_code == 200

    await until(ready, within=10)
    await health.stop()
    assert health.checks > 1


async def test_a_draining_service_is_alive_and_not_ready() -> None:
    health = Health(SETTINGS, Unused())
    health._note(True)
    health.drain()
    assert (await health.live()).status_code == 200
    answer = await health.ready()
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/health+json"
    assert json.loads(bytes(answer.body))["status"] == "fail"


async def test_probes_do_not_ask_the_database() -> None:
    health = Watching(SETTINGS, Unused())
    await asyncio.gather(*(probe() for probe in (health.ready, health.live, health.startup) * 50))
    assert health.checks == 0
