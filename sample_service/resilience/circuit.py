"""What stands between the users of one table and the pool: a bulkhead and a breaker."""

from dataclasses import dataclass

from sample_service.resilience.breaker import Breaker
from sample_service.resilience.gate import Gate
from sample_service.settings import Settings

__all__ = ["Circuit"]


@dataclass(frozen=True, slots=True)
class Circuit:
    """The users of one table: when it is locked, they wait and fail among themselves."""

    name: str
    gate: Gate
    breaker: Breaker

    @classmethod
    def of(cls, name: str, settings: Settings) -> "Circuit":
        """A circuit with the service's limits."""
        return cls(
            name,
            Gate(
                slots=max(1, int(settings.pool_size * settings.circuit_share)),
                queue=settings.pool_queue,
            ),
            Breaker(
                threshold=settings.breaker_threshold,
                rest=settings.breaker_rest,
                slow=settings.time_to_work() * settings.slow_share,
            ),
        )
