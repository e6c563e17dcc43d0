"""Controls of overload."""

from dataclasses import replace

from tests.controls.control import OVERLOAD, Control, Defect, ids
from tests.controls.kiosk.declaration import BUDGET
from tests.controls.kiosk.settings import POOL, QUEUE

__all__ = ["CAPPED", "OVERLOADS"]

CAPPED = {"budget": replace(BUDGET, concurrency=POOL + QUEUE)}
"""How many requests the kiosk accepts at once."""

OVERLOADS = (
    Control(
        module="pool",
        name="queue_without_an_end",
        judged_by=ids("L2 L4 L5"),  # a busy machine serves so little that the others are open
        defects=(
            Defect(
                "a queue before the pool without a limit and without a time-out",
                ids("L2 L4 L5"),
                because="What piles up is worked off in vain, for longer than RTO.",
                shows=(46,),
            ),
        ),
        tolerated=ids("L5"),
    ),
    Control(
        module="pool",
        name="busy_with_itself_when_crowded",
        judged_by=ids("L1"),
        defects=(Defect("connections held for long while others wait", ids("L1")),),
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
        declares=CAPPED,
    ),
)
