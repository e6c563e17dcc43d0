"""Controls of the pool and of recovery."""

from dataclasses import replace

from brownout import seconds
from tests.controls.control import (
    FAILOVER,
    LEFT_BEHIND,
    LIFECYCLE,
    POOL,
    RECOVERY,
    SHARING,
    START_AND_STOP,
    Control,
    Defect,
    ids,
)
from tests.controls.kiosk.declaration import BUDGET, CLOCK, ORDERS, PLACE

__all__ = ["DATABASE"]

DATABASE = (
    Control(
        module="pool",
        name="never_swept",
        judged_by=ids("P6 V1 V3"),  # every kind of fault would break V2, which takes a minute
        defects=(
            Defect(
                "a dead pool never replaced",
                ids("P6 V1 V3"),
                because="Once its connections are dead, for any reason, it never works again.",
                shows=(16,),
            ),
        ),
        declares={"budget": replace(BUDGET, recovery=seconds(1))},
    ),
    Control(
        module="recovery",
        name="recovery_bundle",
        judged_by=RECOVERY,
        defects=(
            Defect("slow for a while after a fault", ids("V3")),
            Defect("one kind of fault after which it recovers too late", ids("V2")),
        ),
    ),
    Control(
        module="recovery",
        name="rests_after_a_refusal",
        judged_by=RECOVERY,
        defects=(Defect("a breaker that rests for longer than RTO", ids("V1"), shows=(55,)),),
    ),
    Control(
        module="sharing",
        name="sharing_bundle",
        judged_by=SHARING,
        defects=(
            Defect("a plan that is prepared once for ever", ids("P7")),
            Defect("the last that waits is served first", ids("P8")),
        ),
        tolerated=ids("P8"),
        declares={"operations": (ORDERS, CLOCK, PLACE)},
    ),
    Control(
        module="sharing",
        name="plans_outlive_sessions",
        judged_by=ids("P7"),
        defects=(Defect("plans that are taken for prepared in a new session (26000)", ids("P7")),),
        declares={"operations": (ORDERS, CLOCK, PLACE)},
    ),
    Control(
        module="sharing",
        name="one_pool_for_all",
        judged_by=SHARING,
        defects=(Defect("requests for one table may hold every connection", ids("P11")),),
        tolerated=ids("P11"),
        declares={"operations": (ORDERS, CLOCK, PLACE)},
    ),
    Control(
        module="left_behind",
        name="left_behind_bundle",
        judged_by=LEFT_BEHIND,
        defects=(
            Defect("a query left running after its caller went", ids("T5"), shows=(11,)),
            Defect("a connect of a probe left to the driver's 60 s", ids("T7"), shows=(12,)),
        ),
        tolerated=ids("T7"),
    ),
    Control(
        module="left_behind",
        name="careless_bundle",
        judged_by=LEFT_BEHIND,
        defects=(
            Defect("a place in the pool lost with each conflict", ids("P4"), shows=(13, 57)),
            Defect("a connection for each probe", ids("H10")),
        ),
    ),
    Control(
        module="left_behind",
        name="leaves_a_transaction",
        judged_by=ids("C1 P5"),
        defects=(
            Defect(
                "a transaction left open whose caller went away",
                ids("C1 P5"),
                because="Writes on its connection are acknowledged, and never committed.",
            ),
        ),
    ),
    Control(
        module="failover",
        name="reconnecting_bundle",
        judged_by=FAILOVER,
        defects=(
            Defect("connects without a pause while the server is starting up", ids("V4")),
            Defect("a breaker that rests for longer than RTO after several outages", ids("V5")),
        ),
        tolerated=ids("V4"),
    ),
    Control(
        module="failover",
        name="pinned_bundle",
        judged_by=FAILOVER,
        defects=(
            Defect("a silent connection that is kept", ids("V6"), shows=(60,)),
            Defect("a pool that stays on the demoted primary", ids("V7"), shows=(61,)),
        ),
    ),
    Control(
        module="deployment",
        name="start_and_stop_bundle",
        judged_by=START_AND_STOP,
        defects=(
            Defect(
                "exits when its database is absent at the start",
                ids("S1 S2"),
                because="What has ended does not become ready.",
                shows=(47,),
            ),
            Defect("SIGTERM drops requests in flight", ids("S3"), shows=(48,)),
        ),
    ),
    Control(
        module="deployment",
        name="stop_bundle",
        judged_by=START_AND_STOP,
        defects=(
            Defect("a stop that waits for the database", ids("S4"), shows=(49,)),
            Defect("ready while it drains", ids("S5")),
        ),
        tolerated=ids("S5"),
    ),
    Control(
        module="deployment",
        name="starts_at_an_open_port",
        judged_by=ids("S1 S2"),
        defects=(
            Defect(
                "a start that waits for an open port, and exits on 57P03",
                ids("S1 S2"),
                because="What has ended does not become ready.",
                shows=(47,),
            ),
        ),
    ),
    Control(
        module="lifecycle",
        name="exits_when_an_idle_session_ends",
        judged_by=LIFECYCLE | ids("H1 T6 V1 V2"),
        defects=(
            Defect(
                "an unhandled error of an idle connection ends the process",
                LIFECYCLE | ids("H1 V1 V2"),
                because="What has ended answers no probe, and does not come back by itself.",
                shows=(59,),
            ),
        ),
    ),
    Control(
        module="pool",
        name="connection_for_each_request",
        # Under P3's latency a connect may outlast D, and P6 finds no connection to kill.
        judged_by=POOL - ids("P3 P6"),
        defects=(Defect("a new database connection for each request", ids("P1"), shows=(4,)),),
    ),
    Control(
        module="pool",
        name="pool_limits_bundle",
        judged_by=POOL,
        defects=(
            Defect("no limit on the pool", ids("P1"), shows=(5,)),
            Defect('"too many connections" mapped to 500', ids("P9")),
            Defect("a connection held during work that needs no database", ids("P10"), shows=(17,)),
        ),
    ),
    Control(
        module="callers",
        name="leak_when_the_caller_goes",
        judged_by=POOL,
        defects=(Defect("a connection leak when a caller disconnects", ids("P3"), shows=(14,)),),
    ),
    Control(
        module="callers",
        name="leak_when_a_writer_goes",
        judged_by=ids("P3 P5 P6"),
        defects=(
            Defect(
                "a connection leak when the caller of a write disconnects", ids("P3"), shows=(14,)
            ),
        ),
    ),
    Control(
        module="pool",
        name="leftover_connections_bundle",
        # Its reads queue for the sweep: P3's verdict would depend on how busy the machine is.
        judged_by=POOL - ids("P3"),
        defects=(
            Defect("a readiness probe that leaks its connection when it is slow", ids("P1")),
            Defect("a transaction left open by a conflict", ids("P5"), shows=(15,)),
            Defect(
                "dead connections replaced for reads and handed to writes", ids("P6"), shows=(16,)
            ),
        ),
    ),
    Control(
        module="pool",
        name="pool_sweeper_bundle",
        judged_by=POOL,
        defects=(
            Defect("dead connections handed out until the next sweep", ids("P6"), shows=(16,)),
            Defect("a transaction left open on error", ids("P5"), shows=(15,)),
        ),
    ),
)
