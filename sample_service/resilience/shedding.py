"""The door: more than the service can serve is refused there, before any work is done for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sample_service.problems import OVERLOADED, Problem
from sample_service.settings import Settings

__all__ = ["NEED_DATABASE", "Shedder"]

NEED_DATABASE: Final = ("/orders", "/products")
"""Where requests queue for something scarce. All other paths are never shed: probes, metrics, and
what needs no database answer also while these are refused."""


class Shedder:
    """Lets in as many as can be worked on or may wait. A refusal here costs 40 microseconds of CPU;
    further in it would cost the parsing and checking that nobody will use."""

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.pool_size + settings.pool_queue
        self.inside = 0

    @contextmanager
    def place(self, path: str) -> Iterator[None]:
        """Hold a place while the block runs; raises `Problem` (overloaded) where there is none."""
        if not path.startswith(NEED_DATABASE):
            yield
            return
        if self.inside >= self._limit:
            raise Problem(OVERLOADED, "Too many requests are being served already.")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
