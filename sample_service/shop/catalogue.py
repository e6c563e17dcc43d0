"""The catalogue, read from the database, or from a snapshot while that is unavailable."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog
from pydantic import TypeAdapter, ValidationError

from sample_service.problems import Problem
from sample_service.resilience.deadline import Deadline
from sample_service.resilience.failures import DRIVER_ERRORS, sqlstate_of
from sample_service.settings import Settings
from sample_service.shop.products import Product, Products
from sample_service.shop.snapshot import Snapshots

__all__ = ["Catalogue"]

PRODUCTS: Final = TypeAdapter(list[Product])

log = structlog.get_logger()

SHARE_FOR_DATABASE: Final = 0.6
"""Of the time left; the rest is kept for reading the snapshot before the deadline."""


class Catalogue:
    """Lists products, stale ones if the database fails."""

    def __init__(self, settings: Settings, products: Products) -> None:
        self._settings = settings
        self._products = products
        self._snapshots = Snapshots(settings.snapshot) if settings.snapshot else None
        self._saver: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to take snapshots."""
        if self._snapshots is not None:
            self._saver = asyncio.create_task(self._keep(self._snapshots))

    async def stop(self) -> None:
        """Take a last snapshot for the next process, discarding one in progress.

        It has as much time as a request; after that the older snapshot stays.
        """
        if self._saver is not None and self._snapshots is not None:
            self._saver.cancel()
            with suppress(asyncio.CancelledError):
                await self._saver
            await self._take(self._snapshots)

    async def list(self, deadline: Deadline) -> tuple[Sequence[Product], float | None]:
        """Return the products, and the age in seconds of a stale answer, or None for a fresh one.

        Raises `Problem` if the database fails and no snapshot is recent enough.
        """
        if self._snapshots is None:
            return await self._products.all(deadline), None
        try:
            share = deadline.left() * SHARE_FOR_DATABASE
            return await self._products.all(deadline.within(share)), None
        except Problem as problem:
            snapshot = await self._snapshots.load() if problem.status >= 500 else None
            if snapshot is None or snapshot.age > self._settings.snapshot_max_age:
                raise
            try:
                return PRODUCTS.validate_json(snapshot.json), snapshot.age
            except ValidationError:  # written by a version with another `Product`
                log.warning("the snapshot is invalid")
                raise problem from None

    async def _keep(self, snapshots: Snapshots) -> None:
        while True:
            await self._take(snapshots)
            await asyncio.sleep(self._settings.snapshot_interval)

    async def _take(self, snapshots: Snapshots) -> None:
        """Take a snapshot; if that fails, the older one stays, and its age shows."""
        try:
            within = Deadline.after(self._settings.time_to_work())
            products = list(await self._products.all(within))
            await snapshots.save(PRODUCTS.dump_json(products))
        except (Problem, *DRIVER_ERRORS) as error:
            log.warning("no snapshot was taken", error=str(error), sqlstate=sqlstate_of(error))
        except Exception:  # a bug; the next snapshot is still attempted
            log.exception("no snapshot was taken")
