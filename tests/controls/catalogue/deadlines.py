"""Controls of the deadline."""

from tests.controls.control import DEADLINES, Control, Defect, ids
from tests.controls.kiosk.declaration import ORDERS, QUOTE

__all__ = ["DEADLINE"]

_LATE = "A request without an effective time-out is late under every kind of slowness."

DEADLINE = (
    Control(
        module="pool",
        name="endless_queue",
        judged_by=DEADLINES | ids("P1 P2 P9"),
        defects=(
            Defect(
                "waiting for the pool has no time-out",
                ids("P2 T1 T2 T3"),
                because="A queued request waits until other requests meet their deadlines.",
                shows=(6,),
            ),
        ),
    ),
    Control(
        module="deadlines",
        name="query_timeout_of_the_driver",
        judged_by=DEADLINES,
        defects=(
            Defect(
                "only the driver's per-query time-out", ids("T1 T2 T3"), because=_LATE, shows=(8,)
            ),
        ),
        declares={"operations": [ORDERS, QUOTE]},
    ),
    Control(
        module="deadlines",
        name="asyncio_timeout",
        judged_by=DEADLINES,
        defects=(
            Defect(
                "only asyncio.timeout around acquire and query",
                ids("T1 T2 T3"),
                because=_LATE,
                shows=(9,),
            ),
        ),
    ),
    Control(
        module="deadlines",
        name="no_timeouts",
        judged_by=DEADLINES,
        defects=(Defect("no time-out on queries", ids("T1 T2 T3"), because=_LATE, shows=(7,)),),
    ),
    Control(
        module="deadlines",
        name="timeout_for_each_step",
        judged_by=DEADLINES,
        defects=(
            Defect(
                "time-outs of the pool, the connect and the query that add up",
                ids("T1 T2 T3"),
                because="A queued request waits for D twice under every kind of slowness.",
                shows=(10,),
            ),
        ),
    ),
    Control(
        module="deadlines",
        name="missing_timeouts_bundle",
        # It breaks T3 too, but only if a connection happens to be missing by then.
        judged_by=DEADLINES - ids("T3"),
        defects=(
            Defect("only the driver's 60 s connect time-out", ids("T2"), shows=(12,)),
            Defect("no time-out on COMMIT", ids("T1"), shows=(7,)),
        ),
    ),
    Control(
        module="deadlines",
        name="late_failures_bundle",
        judged_by=DEADLINES,
        defects=(
            Defect("a refused connect retried until D", ids("T6")),
            Defect("time-outs of the statements that add up", ids("T3"), shows=(10,)),
        ),
    ),
)
