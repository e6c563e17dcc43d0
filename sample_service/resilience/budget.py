"""A budget for retries, so that they never become the load that keeps a database down."""

from typing import Final

from prometheus_client import Counter

__all__ = ["RetryBudget"]

RETRIES: Final = Counter(
    "shop_retries_total", "Retries, by whether the budget had one left.", ["what"]
)
MADE: Final = RETRIES.labels("made")
DENIED: Final = RETRIES.labels("denied")


class RetryBudget:
    """Every request earns `ratio` of a retry; `reserve` retries may be saved up.

    The reserve lets a pool whose connections were all cut be retried at once; the ratio bounds what
    retries add while everything fails (Google's SRE book, chapter 21: 10 %).
    """

    def __init__(self, *, ratio: float, reserve: int) -> None:
        self._ratio = ratio
        self._reserve = float(reserve)
        self._saved = float(reserve)

    def earn(self) -> None:
        """A request came."""
        self._saved = min(self._reserve, self._saved + self._ratio)

    def spend(self) -> bool:
        """Whether a retry may be made now; takes it from the budget."""
        if self._saved < 1:
            DENIED.inc()
            return False
        self._saved -= 1
        MADE.inc()
        return True
