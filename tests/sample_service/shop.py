"""Runs the sample service in the test's own event loop, on a real PostgreSQL."""

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
"""The deadline that the service promises, in seconds."""

IN_TIME = 1.5 * DEADLINE
"""Separates an answer in time from time-outs that add up, even if the machine stalls briefly."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A running application and a client for it."""

    app: FastAPI
    client: httpx.AsyncClient

    async def order(
        self, *, key: str | None = None, sku: str = "tea", quantity: int = 1, customer: str = "Ada"
    ) -> httpx.Response:
        """Send POST /orders."""
        return await self.client.post(
            "/orders",
            json={"customer": customer, "sku": sku, "quantity": quantity},
            headers={} if key is None else {"Idempotency-Key": key},
        )

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Send a GET request."""
        return await self.client.get(path, headers=headers)

    async def timed(self, path: str) -> tuple[httpx.Response, float]:
        """Send a GET request; return the response and the seconds that it took."""
        begun = time.monotonic()
        response = await self.get(path)
        return response, time.monotonic() - begun


@asynccontextmanager
async def opened(settings: Settings, parts: Parts | None = None) -> AsyncIterator[Shop]:
    """Start the application, and stop it at the end."""
    app = create_app(settings, parts)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://shop") as client,
    ):
        yield Shop(app, client)


def patient(settings: Settings) -> Settings:
    """Return the settings with ample time, for tests that are not about time: a stalled machine
    must not look like a database that does not answer."""
    return settings.model_copy(
        update={
            "request_deadline": 60.0,
            "pool_patience": 30.0,
            "connect_timeout": 30.0,
            "health_timeout": 30.0,
        }
    )


def new_customer() -> str:
    """Return the name of a customer without orders."""
    return f"customer {secrets.token_hex(6)}"


def problem(response: httpx.Response) -> dict[str, Any]:
    """Return the response's problem; fail if it is not one."""
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    assert body["status"] == response.status_code
    return body


async def until(condition: Callable[[], Awaitable[bool]], *, within: float) -> None:
    """Wait until the condition holds; fail after that many seconds."""
    end = time.monotonic() + within
    while not await condition():
        assert time.monotonic() < end, f"not within {within} s"
        await asyncio.sleep(0.02)
