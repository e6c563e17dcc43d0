"""Controls of overload."""

from tests.controls.control import OVERLOAD, Control, Defect, ids

__all__ = ["OVERLOADS"]

OVERLOADS = (
    Control(
        module="pool",
        name="queue_without_an_end",
        judged_by=OVERLOAD,
        defects=(
            Defect(
                "a queue before the pool without a limit and without a time-out",
                ids("L1 L2 L3 L4 L5"),
                because="What piles up is worked off in vain, for longer than RTO.",
            ),
        ),
        tolerated=ids("L5"),
    ),
    Control(
        module="pool",
        name="excess_as_an_error",
        judged_by=OVERLOAD,
        defects=(
            Defect(
                "500 for what is over the limit",
                ids("L3 L5"),
                because="In a spike, in a ramp and in an impulse alike.",
            ),
        ),
        tolerated=ids("L5"),
        left_open=ids("L1 L2"),
    ),
)
