"""Every error that a caller can see, as RFC 9457 problems.

A problem's `type` leads to its page in docs/problems/. The exception carries the detail for the
caller and the SQLSTATE, which only the log may show.
"""

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

__all__ = [
    "BAD_REQUEST",
    "CIRCUIT_OPEN",
    "COMMIT_UNDETERMINED",
    "CONFLICT",
    "DATABASE_UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "IDEMPOTENCY_KEY_IN_USE",
    "IDEMPOTENCY_KEY_REUSED",
    "INTERNAL_ERROR",
    "INVALID_REQUEST",
    "INVOICE_FAILED",
    "METHOD_NOT_ALLOWED",
    "NOT_FOUND",
    "OUT_OF_STOCK",
    "OVERLOADED",
    "POOL_EXHAUSTED",
    "PROBLEM_TYPES",
    "UNACCEPTABLE_VALUE",
    "UNKNOWN_ORDER",
    "UNKNOWN_PRODUCT",
    "Origin",
    "Problem",
    "ProblemType",
]

TYPE_ROOT: Final = "https://shop.example/problems/"
"""`.example` never resolves (RFC 2606); a real service puts the address of its own pages here."""


@unique
class Origin(StrEnum):
    """Where an error arose: the first thing to look at for callers and operators."""

    ROUTING = "routing"
    VALIDATION = "validation"
    DOMAIN = "domain"
    SHEDDING = "shedding"
    POOL = "pool"
    BREAKER = "breaker"
    DATABASE = "database"
    INVOICING = "invoicing"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem: the last part of its `type`, its constant title and its HTTP status.

    `retry_after` is in whole seconds (RFC 9110 §10.2.3), or None if retrying would not help.
    """

    slug: str
    title: str
    status: int
    origin: Origin
    retry_after: int | None = None

    @property
    def uri(self) -> str:
        """The problem's `type`."""
        return TYPE_ROOT + self.slug


BAD_REQUEST = ProblemType("bad-request", "The request could not be understood", 400, Origin.ROUTING)
NOT_FOUND = ProblemType("not-found", "Nothing exists at this address", 404, Origin.ROUTING)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed", "This address does not support the method", 405, Origin.ROUTING
)
INVALID_REQUEST = ProblemType(
    "invalid-request", "The request does not match the schema", 422, Origin.VALIDATION
)
UNACCEPTABLE_VALUE = ProblemType(
    "unacceptable-value", "A value cannot be stored", 422, Origin.VALIDATION
)
UNKNOWN_ORDER = ProblemType("unknown-order", "The order does not exist", 404, Origin.DOMAIN)
UNKNOWN_PRODUCT = ProblemType("unknown-product", "The product does not exist", 422, Origin.DOMAIN)
OUT_OF_STOCK = ProblemType("out-of-stock", "Too few items are in stock", 409, Origin.DOMAIN)
CONFLICT = ProblemType("conflict", "The request conflicts with stored data", 409, Origin.DOMAIN)
IDEMPOTENCY_KEY_REUSED = ProblemType(
    "idempotency-key-reused", "The key was used for another request", 422, Origin.DOMAIN
)
IDEMPOTENCY_KEY_IN_USE = ProblemType(
    "idempotency-key-in-use",
    "A request with this key is in progress",
    409,
    Origin.DOMAIN,
    retry_after=1,
)
OVERLOADED = ProblemType(
    "overloaded", "The service is overloaded", 503, Origin.SHEDDING, retry_after=1
)
POOL_EXHAUSTED = ProblemType(
    "pool-exhausted", "All database connections are in use", 503, Origin.POOL, retry_after=1
)
CIRCUIT_OPEN = ProblemType(
    "circuit-open", "The circuit breaker is open", 503, Origin.BREAKER, retry_after=1
)
DATABASE_UNAVAILABLE = ProblemType(
    "database-unavailable", "The database is unavailable", 503, Origin.DATABASE, retry_after=1
)
DEADLINE_EXCEEDED = ProblemType(
    "deadline-exceeded",
    "The database did not answer in time; nothing was changed",
    503,
    Origin.DATABASE,
    retry_after=1,
)
COMMIT_UNDETERMINED = ProblemType(
    "commit-undetermined", "It is unknown whether the change was made", 504, Origin.DATABASE
)
INVOICE_FAILED = ProblemType(
    "invoice-failed", "The invoice could not be drawn", 503, Origin.INVOICING, retry_after=1
)
INTERNAL_ERROR = ProblemType("internal-error", "The service failed", 500, Origin.SERVICE)

PROBLEM_TYPES: Final = (
    BAD_REQUEST,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    INVALID_REQUEST,
    UNACCEPTABLE_VALUE,
    UNKNOWN_ORDER,
    UNKNOWN_PRODUCT,
    OUT_OF_STOCK,
    CONFLICT,
    IDEMPOTENCY_KEY_REUSED,
    IDEMPOTENCY_KEY_IN_USE,
    OVERLOADED,
    POOL_EXHAUSTED,
    CIRCUIT_OPEN,
    DATABASE_UNAVAILABLE,
    DEADLINE_EXCEEDED,
    COMMIT_UNDETERMINED,
    INVOICE_FAILED,
    INTERNAL_ERROR,
)


class Problem(Exception):
    """Ends a request with a problem.

    `detail` is for the caller, so it never contains SQL, host names or the driver's class names.
    `sqlstate` is for the log. `status` differs from the type's only if the framework refused the
    request with a status of its own.
    """

    def __init__(
        self,
        kind: ProblemType,
        detail: str,
        *,
        sqlstate: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.sqlstate = sqlstate
        self.status = kind.status if status is None else status
