"""A budget for retries, so that they never become the load that keeps a database down."""

__all__ = ["RetryBudget"]


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
            return False
        self._saved -= 1
        return True
