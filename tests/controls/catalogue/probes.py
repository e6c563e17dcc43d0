"""Controls of the health checks."""

from brownout import Health
from tests.controls.control import HEALTH, Control, Defect, ids

__all__ = ["PROBES"]

PROBES = (
    Control(
        module="health",
        name="one_queue_and_never_ready_again",
        judged_by=HEALTH - ids("H1"),  # readiness would be waited for after each of its tests
        defects=(
            Defect(
                "both probes wait in the traffic's queue",
                ids("H2 H5"),
                because="The queue is as long for readiness as for liveness.",
            ),
            Defect("readiness stays failed after the heal", ids("H4")),
        ),
    ),
    Control(
        module="health",
        name="probes_mixed_up",
        judged_by=HEALTH,
        defects=(
            Defect(
                "liveness asks the database",
                ids("H1 H2"),
                because="It fails under every fault, and under a fault with load.",
            ),
            Defect("readiness always 200", ids("H3")),
        ),
    ),
    Control(
        module="health",
        name="readiness_hangs_and_liveness_elsewhere",
        judged_by=HEALTH,
        defects=(
            Defect("readiness hangs", ids("H5")),
            Defect(
                "a liveness route that is not there",
                ids("H0 H1 H2"),
                because="What is not there answers 404, under a fault and without.",
            ),
        ),
        declares={"health": Health(live="/healthz", ready="/health/ready")},
    ),
    Control(
        module="health",
        name="readiness_over_the_pool_and_flapping",
        judged_by=HEALTH,
        defects=(
            Defect("probes share the traffic's pool, and its patience", ids("H5")),
            Defect("readiness fails every second time only", ids("H3")),
        ),
    ),
    Control(
        module="health",
        name="no_readiness",
        # T1, T3 and X1, which every defect of their areas may break.
        judged_by=ids("H0 H3 H4 H5 T1 T3 X1"),
        defects=(Defect("no readiness route", ids("H0")),),
        not_assessed=ids("H3 H4 H5"),
        declares={"health": Health(live="/health/live", ready=None)},
    ),
)
