"""The sample service inside the test's own event loop, on a real PostgreSQL."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from sample_service.app import Parts, create_app
from sample_service.settings import Settings

__all__ = ["DEADLINE", "IN_TIME", "Shop", "new_customer", "opened", "patient", "problem", "until"]

DEADLINE = 1.0
"""What the service promises, in seconds."""

IN_TIME = 1.5 * DEADLINE
"""Tells an answer in time from time-outs that add up, also where the machine stalls a while."""


@dataclass(frozen=True, slots=True)
class Shop:
    """One running application and a caller of it."""

    app: FastAPI
    client: httpx.AsyncClient

    async def order(
        self, *, key: str | None = None, sku: str = "tea", quantity: int = 1, customer: str = "Ada"
    ) -> httpx.Response:
        """POST /orders."""
        return await self.client.post(
            "/orders",
            json={"customer": customer, "sku": sku, "quantity": quantity},
            headers={} if key is None else {"Idempotency-Key": key},
        )

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """GET."""
        return await self.client.get(path, headers=headers)

    async def timed(self, path: str) -> tuple[httpx.Response, float]:
        """GET, and the seconds that it took."""
        begun = time.monotonic()
        response = await self.get(path)
        return response, time.monotonic() - begun


@asynccontextmanager
async def opened(settings: Settings, parts: Parts | None = None) -> AsyncIterator[Shop]:
    """The application started, and stopped again at the end."""
    app = create_app(settings, parts)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://shop") as client,
    ):
        yield Shop(app, client)


def patient(settings: Settings) -> Settings:
    """The same with ample time, for tests of anything but time: no stall of the machine is then
    taken for a database that does not answer."""
    return settings.model_copy(
        update={
            "request_deadline": 60.0,
            "pool_patience": 30.0,
            "connect_timeout": 30.0,
            "health_timeout": 30.0,
        }
    )


def new_customer() -> str:
    """Somebody who has ordered nothing yet."""
    return f"customer {secrets.token_hex(6)}"


def problem(response: httpx.Response) -> dict[str, Any]:
    """The answer as a problem; fails where it is none."""
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    assert body["status"] == response.status_code
    return body


async def until(condition: Callable[[], Awaitable[bool]], *, within: float) -> None:
    """Wait until the condition holds; fails after that many seconds."""
    end = time.monotonic() + within
    while not await condition():
        assert time.monotonic() < end, f"not within {within} s"
        await asyncio.sleep(0.02)
