"""Assembles the kiosk from parts, each of which can be replaced."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route

from tests.controls.kiosk.board import Board
from tests.controls.kiosk.counter import Counter
from tests.controls.kiosk.front import EXPECTED, Front
from tests.controls.kiosk.pool import Pool
from tests.controls.kiosk.probes import Probes

__all__ = ["kiosk"]


def kiosk(
    *,
    pool: Callable[[str], Pool] = Pool,
    counter: Callable[[Pool], Counter] = Counter,
    front: Callable[[Counter], Front] = Front,
    probes: Callable[[str], Probes] = Probes,
    board: Callable[[str], Board] | None = None,
) -> Starlette:
    """Create the ASGI application; its database is the environment's `DATABASE_URL`. Only with a
    `board` it has one."""
    dsn = os.environ["DATABASE_URL"]
    connections = pool(dsn)
    shop = front(counter(connections))
    health = probes(dsn)
    notes = None if board is None else board(dsn)

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        await connections.open()
        following = None if notes is None else asyncio.create_task(notes.run())
        yield
        if following is not None:
            following.cancel()
        health.close()
        connections.close()

    return Starlette(
        routes=[
            *([] if notes is None else [Route("/notes", notes.show)]),
            Route("/orders", shop.orders),
            Route("/orders/stream", shop.stream),
            Route("/orders", shop.place, methods=["POST"]),
            Route("/quote", shop.quote),
            Route("/digest", shop.digest),
            Route("/menu", shop.menu),
            Route("/health/live", health.live),
            Route("/health/ready", health.ready),
        ],
        exception_handlers=dict.fromkeys((*EXPECTED, Exception), shop.refuse),
        lifespan=running,
    )
