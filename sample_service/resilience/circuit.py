"""A bulkhead and a breaker in front of the pool, one pair for each table."""

from dataclasses import dataclass

from sample_service.resilience.breaker import Breaker
from sample_service.resilience.gate import Gate
from sample_service.settings import Settings

__all__ = ["Circuit"]


@dataclass(frozen=True, slots=True)
class Circuit:
    """The limits for the requests on one table; if it is locked, only these wait and fail.

    `changes` is narrower than `gate` by one: a change touches further tables, and while one of them
    is locked, a place is left to those who only read.
    """

    name: str
    gate: Gate
    changes: Gate
    breaker: Breaker

    @classmethod
    def of(cls, name: str, settings: Settings) -> "Circuit":
        """Create a circuit with the limits from the settings."""
        slots = max(1, int(settings.pool_size * settings.circuit_share))
        return cls(
            name,
            Gate(slots=slots, queue=settings.pool_queue),
            Gate(slots=max(1, slots - 1), queue=settings.pool_queue),
            Breaker(
                threshold=settings.breaker_threshold,
                rest=settings.breaker_rest,
                slow=settings.time_to_work() * settings.slow_share,
            ),
        )
