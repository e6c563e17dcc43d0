"""The known defects: ways in which services of many makers break, by number.

The numbers are public: docs/explanation/detection.md and the matrix of `make detection` use them.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType

from tests.controls.control import ids

__all__ = ["KNOWN", "Known"]


@dataclass(frozen=True, slots=True)
class Known:
    """A defect, and the promises of which one at least must give it away."""

    what: str
    fits: Set[str]


def _known(*defects: tuple[int, str, str]) -> Mapping[int, Known]:
    return MappingProxyType({number: Known(what, ids(fits)) for number, what, fits in defects})


KNOWN: Mapping[int, Known] = _known(
    (1, "a synchronous driver is called in a coroutine", "X1 X3"),
    (2, "a handler computes in the event loop", "X2"),
    (3, "`time.sleep` in a coroutine", "X1 P10"),
    (4, "a new database connection for each request", "P1"),
    (5, "the pool has no limit", "P1 P9"),
    (6, "waiting for the pool has no time-out", "P2 T1"),
    (7, "queries have no time-out", "T1"),
    (8, "only the driver's time-out for each query, whose cancel request is never answered", "T2"),
    (9, "only a time-out around acquire and query, which waits for the release", "T2"),
    (10, "time-outs that add up", "T3"),
    (11, "a query goes on after its caller went away", "T5"),
    (12, "the driver's long time-out for connecting", "T1 T2 T7"),
    (13, "a failed request keeps its connection", "P4"),
    (14, "a caller who goes away takes a connection along", "P3"),
    (15, "a transaction is left open on an error", "P5 C4"),
    (16, "dead connections are never replaced", "V1 P6"),
    (17, "a connection is held during work that needs none", "P10"),
    (18, "probes wait with the traffic", "H5 H7"),
    (19, "a health route is missing", "H0"),
    (20, "liveness asks the database", "H1"),
    (21, "readiness always passes", "H3"),
    (22, "readiness stays failed after the heal", "H4"),
    (23, "readiness hangs", "H5"),
    (24, "a health answer's body contradicts its status", "H8"),
    (25, "a health answer shows the DSN or the driver's message", "Z2"),
    (26, "an HTML page as an error", "E1"),
    (27, "the framework's own text as an error", "E1 E4"),
    (28, "a traceback in an answer", "Z1"),
    (29, "validation errors in another format", "E4"),
    (30, "the status in the body is not that of the answer", "E2"),
    (31, "a database that is gone is answered with 500", "E5"),
    (32, "no Retry-After, or one that is not valid", "E6"),
    (33, "a duplicate key is answered with 500", "E7"),
    (34, "errors are swallowed: an empty list, or 200 with an `error`", "E9"),
    (35, "old data is served without a mark", "B6 E9"),
    (36, "201 before COMMIT", "C1"),
    (37, "a write is queued in memory and acknowledged", "C1"),
    (38, "a write without a key is repeated", "C3 R6"),
    (39, "an undetermined COMMIT is reported as failed", "C5"),
    (40, "the idempotency key is kept outside of the transaction", "C6"),
    (41, "one statement is repeated in a transaction that has failed", "R5"),
    (42, "retries without an end", "R1 T1"),
    (43, "two layers retry", "R8 R1"),
    (44, "a breaker that never closes again", "B2"),
    (45, "callers' errors open the breaker", "B5"),
    (46, "a queue without a limit", "L1 L2"),
    (47, "the service exits if it is started without its database", "S1 S2"),
    (48, "SIGTERM drops requests under way", "S3"),
    (49, "the stop waits for the database", "S4"),
    (50, "no id leads from the error to the log", "O1"),
    (51, "a COMMIT without a reply is taken for done", "C1"),
    (52, "an empty list where the server refuses, in one of its ways", "E9"),
    (53, "readiness is a TCP connect", "H3"),
    (54, "one lock around all writes", "X3"),
    (55, "a rest that grows without a cap", "V1 V5"),
    (56, "the door refuses in another format", "E1 E4 E6"),
    (57, "a conflict, or a failed COMMIT, keeps its connection", "P4"),
    (58, "SQL or the driver's class in a header or a member", "Z1"),
    (59, "an error of an idle connection ends the process", "S6"),
    (60, "silent connections are handed out for ever", "V6"),
    (61, "the pool stays on the demoted primary", "V7"),
    (62, "each open stream holds a connection", "P12"),
    (63, "the connection of a listener dies, and it listens no more", "V8"),
    (64, "liveness waits for a thread of the requests", "H2 P10"),
    (65, "a transaction is left open without any fault", "P5"),
    (66, "readiness says DOWN with 200", "H3 H8"),
    (67, "503 after the COMMIT succeeded", "C4 C5"),
)
"""Every known defect by its number."""
