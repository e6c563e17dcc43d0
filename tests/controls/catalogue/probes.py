"""Controls of the health checks."""

from brownout import Health
from tests.controls.control import HEALTH, Control, Defect, ids

__all__ = ["PROBES"]

PROBES = (
    Control(
        module="health",
        name="shared_queue_bundle",
        judged_by=HEALTH - ids("H1"),  # each test of H1 would wait for readiness to return
        defects=(
            Defect(
                "both probes wait in the traffic's queue",
                ids("H2 H5 H7"),
                because="Liveness and readiness wait in the same queue.",
                shows=(18,),
            ),
            Defect("readiness stays failed after the heal", ids("H4"), shows=(22,)),
            Defect("the driver's message in readiness, in small letters", ids("Z2"), shows=(25,)),
        ),
    ),
    Control(
        module="health",
        name="swapped_probes_bundle",
        judged_by=HEALTH,
        defects=(
            Defect(
                "liveness asks the database",
                ids("H1 H2"),
                because="It fails under every fault, with and without load.",
                shows=(20,),
            ),
            Defect("readiness always 200", ids("H3"), shows=(21,)),
        ),
        not_assessed=ids("H6 H9"),
    ),
    Control(
        module="health",
        name="hanging_readiness_bundle",
        judged_by=HEALTH,
        defects=(
            Defect("readiness hangs", ids("H5"), shows=(23,)),
            Defect("`pass` in the body of a readiness that fails", ids("H8"), shows=(24,)),
            Defect(
                "a declared liveness route that does not exist",
                ids("H0 H1 H2 H7"),
                because="It answers 404, with and without a fault.",
                shows=(19,),
            ),
        ),
        tolerated=ids("H8"),
        declares={"health": Health(live="/healthz", ready="/health/ready")},
    ),
    Control(
        module="health",
        name="pooled_readiness_bundle",
        judged_by=HEALTH,
        defects=(
            Defect(
                "readiness waits for a connection of the traffic's pool", ids("H5"), shows=(18,)
            ),
            Defect(
                "readiness reports only every second failure",
                ids("H3 H6"),
                because="It passes and fails in turn.",
            ),
            Defect("readiness that says `fail` and not what fails", ids("H9")),
        ),
        tolerated=ids("H6 H9"),
    ),
    Control(
        module="health",
        name="no_readiness",
        # T1, T3, X1 and X3 too: defects of their own areas may break them, here they must be kept.
        judged_by=ids("H0 H3 H4 H5 T1 T3 X1 X3"),
        defects=(Defect("no readiness route", ids("H0"), shows=(19,)),),
        not_assessed=ids("H3 H4 H5"),
        declares={"health": Health(live="/health/live", ready=None)},
    ),
)
