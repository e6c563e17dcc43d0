"""The catalogue: from the database, or as it was when that could still be asked."""

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
"""Of the time that is left: the rest is for the snapshot, which is no help after the deadline."""


class Catalogue:
    """Products, with a stale answer where there is no fresh one."""

    def __init__(self, settings: Settings, products: Products) -> None:
        self._settings = settings
        self._products = products
        self._snapshots = Snapshots(settings.snapshot) if settings.snapshot else None
        self._saver: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to take snapshots."""
        if self._snapshots is not None:
            self._saver = asyncio.create_task(self._keep(self._snapshots))

    async def stop(self) -> None:
        """Take a last snapshot, for the next process; the one under way is thrown away.

        Takes as long as a request may, at most: then the older one stays.
        """
        if self._saver is not None and self._snapshots is not None:
            self._saver.cancel()
            with suppress(asyncio.CancelledError):
                await self._saver
            await self._take(self._snapshots)

    async def list(self, deadline: Deadline) -> tuple[Sequence[Product], float | None]:
        """The products, and the age in seconds of a stale answer; None for a fresh one.

        Raises `Problem` where the database fails and no snapshot is young enough.
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
            except ValidationError:  # written by another version, which knew other products
                log.warning("the snapshot cannot be understood")
                raise problem from None

    async def _keep(self, snapshots: Snapshots) -> None:
        while True:
            await self._take(snapshots)
            await asyncio.sleep(self._settings.snapshot_interval)

    async def _take(self, snapshots: Snapshots) -> None:
        """Where it fails the older one stays, and whoever is shown it sees its age."""
        try:
            within = Deadline.after(self._settings.time_to_work())
            products = list(await self._products.all(within))
            await snapshots.save(PRODUCTS.dump_json(products))
        except (Problem, *DRIVER_ERRORS) as error:
            log.warning("no snapshot was taken", error=str(error), sqlstate=sqlstate_of(error))
        except Exception:  # ours; the next one is tried all the same
            log.exception("no snapshot was taken")
