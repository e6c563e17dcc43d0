"""Controls of the pool and of recovery."""

from dataclasses import replace

from brownout import seconds
from tests.controls.control import LIFECYCLE, POOL, RECOVERY, Control, Defect, ids
from tests.controls.kiosk.declaration import BUDGET

__all__ = ["DATABASE"]

DATABASE = (
    Control(
        module="pool",
        name="never_swept",
        judged_by=ids("P6 V1 V3"),  # V2 would be broken by each kind of fault, and take a minute
        defects=(
            Defect(
                "a dead pool never replaced",
                ids("P6 V1 V3"),
                because="After its connections died it never works again, however they died.",
            ),
        ),
        declares={"budget": replace(BUDGET, recovery=seconds(1))},
    ),
    Control(
        module="recovery",
        name="cold_after_a_fault_and_offended",
        judged_by=RECOVERY,
        defects=(
            Defect("a slow start after the heal", ids("V3")),
            Defect("heals in time after every fault but one", ids("V2")),
        ),
    ),
    Control(
        module="recovery",
        name="rests_after_a_refusal",
        judged_by=RECOVERY | LIFECYCLE,
        defects=(Defect("a breaker that rests for longer than RTO", ids("V1")),),
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
            ),
        ),
    ),
    Control(
        module="pool",
        name="connection_for_each_request",
        # To connect may outlast D under P3's latency, and P6 has no connection that it could kill.
        judged_by=POOL - ids("P3 P6"),
        defects=(Defect("a new database connection for each request", ids("P1")),),
    ),
    Control(
        module="pool",
        name="unlimited_and_full_and_every_route",
        judged_by=POOL,
        defects=(
            Defect("no limit on the pool", ids("P1")),
            Defect('"too many connections" mapped to 500', ids("P9")),
            Defect("a connection held across work that needs no database", ids("P10")),
        ),
    ),
    Control(
        module="callers",
        name="leak_when_the_caller_goes",
        judged_by=POOL,
        defects=(Defect("a connection leaks when the caller goes", ids("P3")),),
    ),
    Control(
        module="callers",
        name="leak_when_a_writer_goes",
        judged_by=ids("P3 P5 P6"),
        defects=(Defect("connections leak when the callers of writes go", ids("P3")),),
    ),
    Control(
        module="pool",
        name="forgetful_and_swept_for_reads",
        judged_by=POOL,
        defects=(
            Defect("a readiness probe that forgets its connection when it is slow", ids("P1")),
            Defect("a transaction left open by a conflict", ids("P5")),
            Defect("dead connections are replaced for reads and handed to writes", ids("P6")),
        ),
    ),
    Control(
        module="pool",
        name="dead_until_swept_and_left_open",
        judged_by=POOL,
        defects=(
            Defect("dead connections are handed out until a sweeper comes", ids("P6")),
            Defect("a transaction left open on error", ids("P5")),
        ),
    ),
)
