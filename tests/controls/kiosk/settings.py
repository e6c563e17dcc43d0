"""The kiosk's numbers, shared by the service and its declaration; durations in seconds."""

from typing import Final

__all__ = ["DEADLINE", "MARGIN", "PATIENCE", "POOL", "PROBE", "QUEUE", "RECOVERY", "WORK"]

DEADLINE: Final = 1.5
"""D: the deadline promised to callers."""

MARGIN: Final = 0.7
"""The part of it kept for the network, on a machine that runs several controls at once. A wide
margin keeps a busy machine from looking like a broken promise."""

WORK: Final = DEADLINE - MARGIN
"""How long a request may work."""

PATIENCE: Final = 0.5
"""The longest wait for a place in the pool: some round trips under a latency of D / 8."""

POOL: Final = 4
"""Connections in the pool."""

QUEUE: Final = 50
"""How many requests may wait for a place in the pool."""

PROBE: Final = 0.4
"""How long the database may take to answer the readiness probe."""

RECOVERY: Final = 2.0
"""RTO: how soon after a heal the kiosk is in its steady state."""
