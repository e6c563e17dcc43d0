"""A budget for retries, which keeps them from overloading a struggling database."""

from typing import Final

from prometheus_client import Counter

__all__ = ["RetryBudget"]

RETRIES: Final = Counter(
    "shop_retries_total", "Retries, by whether the budget allowed them.", ["what"]
)
MADE: Final = RETRIES.labels("made")
DENIED: Final = RETRIES.labels("denied")


class RetryBudget:
    """Each request earns `ratio` of a retry; at most `reserve` retries are saved up.

    The reserve covers all connections of a pool being cut at the same time. The ratio bounds the
    load that retries add while everything fails (Google's SRE book, chapter 21: 10 %).
    """

    def __init__(self, *, ratio: float, reserve: int) -> None:
        self._ratio = ratio
        self._reserve = float(reserve)
        self._saved = float(reserve)

    def earn(self) -> None:
        """Add the share that one request earns."""
        self._saved = min(self._reserve, self._saved + self._ratio)

    def spend(self) -> bool:
        """Take one retry from the budget; False if none is left."""
        if self._saved < 1:
            DENIED.inc()
            return False
        self._saved -= 1
        MADE.inc()
        return True
