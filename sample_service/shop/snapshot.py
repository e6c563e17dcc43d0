"""The last known catalogue, in a local SQLite file that several workers can share."""

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiosqlite
import structlog

__all__ = ["Snapshot", "Snapshots"]

SCHEMA: Final = "CREATE TABLE IF NOT EXISTS catalogue (only INTEGER PRIMARY KEY, taken REAL, json)"
SAVE: Final = "INSERT OR REPLACE INTO catalogue VALUES (1, ?, ?)"
LOAD: Final = "SELECT taken, json FROM catalogue"
LOCK_WAIT: Final = 0.1
"""Seconds to wait for another worker's write, which takes about one millisecond."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The catalogue as it was `age` seconds ago, as JSON."""

    age: float
    json: bytes


class Snapshots:
    """Stores one snapshot. SQLite's errors are logged and cost only the fallback.

    It records the wall-clock time, because a reboot resets the monotonic clock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def save(self, catalogue: bytes) -> None:
        """Replace the snapshot in one transaction, so no reader sees half of it."""
        try:
            async with aiosqlite.connect(self._path, timeout=LOCK_WAIT) as file:
                await file.execute(SCHEMA)
                await file.execute(SAVE, (time.time(), catalogue))
                await file.commit()
        except sqlite3.Error as error:
            log.warning("the snapshot could not be saved", error=str(error))

    async def load(self) -> Snapshot | None:
        """Return the snapshot, or None if there is none or it cannot be read."""
        try:
            async with (
                aiosqlite.connect(self._path, timeout=LOCK_WAIT) as file,
                file.execute(LOAD) as rows,
            ):
                row = await rows.fetchone()
        except sqlite3.Error as error:
            log.warning("the snapshot could not be read", error=str(error))
            return None
        return Snapshot(max(0.0, time.time() - row[0]), row[1]) if row else None
