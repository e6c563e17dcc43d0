"""Calls of the page, as its script makes them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from brownout.console.serving import bound, serving
from brownout.postgres import Postgres
from brownout.service import RunningService
from brownout.trial.replica import Replica

__all__ = ["Page", "opened"]

_WITHIN = 20.0  # seconds


class Page:
    """A page that is served; its calls raise nothing for what they are answered."""

    def __init__(self, address: str, client: httpx.AsyncClient) -> None:
        self.address = address
        self._client = client

    async def get(self, path: str) -> httpx.Response:
        """What is at a path of the page."""
        return await self._client.get(self.address + path)

    async def call(self, path: str, **body: object) -> dict[str, Any]:
        """The answer to a call."""
        answer = await self._client.post(self.address + path, json=body)
        found: dict[str, Any] = answer.json()
        return found

    async def state(self, query: str = "") -> dict[str, Any]:
        """What is seen now."""
        found: dict[str, Any] = (await self.get(f"state{query}")).json()
        return found

    async def until(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The first state that meets the condition."""
        deadline = time.monotonic() + _WITHIN
        while True:
            state = await self.state()
            if condition(state):
                return state
            assert time.monotonic() < deadline, state
            await asyncio.sleep(0.05)

    async def asked(self, operation: str, callers: int = 1) -> dict[str, Any]:
        """Ask, and return the latest answer once all have come."""
        before = (await self.state())["operations"][operation]["total"]
        assert await self.call("ask", operation=operation, callers=callers) == {}
        state = await self.until(
            lambda now: now["operations"][operation]["total"] >= before + callers
        )
        found: dict[str, Any] = state["operations"][operation]["latest"]
        return found


@asynccontextmanager
async def opened(service: RunningService, postgres: Postgres) -> AsyncIterator[Page]:
    """The page of a running service."""
    with bound(0) as socket:
        async with (
            serving(Replica(service, postgres), socket) as address,
            httpx.AsyncClient(timeout=60, trust_env=False) as client,
        ):
            yield Page(address, client)
