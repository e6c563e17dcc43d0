"""Controls of consistency, of the event loop and of the steady state."""

from dataclasses import replace

from tests.controls.control import (
    CONSISTENCY,
    ERROR_FORMAT,
    EVENT_LOOP,
    Control,
    Defect,
    ids,
)
from tests.controls.kiosk.declaration import ORDERS, PLACE

__all__ = ["WORK"]

WORK = (
    Control(
        module="consistency",
        name="written_behind",
        judged_by=CONSISTENCY | ERROR_FORMAT,
        defects=(
            Defect(
                "a write queued in memory and acknowledged",
                ids("C1 E9"),
                because="It acknowledges writes without the database, and then loses them.",
                shows=(37,),
            ),
        ),
        not_assessed=ids("C4 C5 E7"),  # it refuses no write
    ),
    Control(
        module="consistency",
        name="early_answer_bundle",
        judged_by=CONSISTENCY,
        defects=(
            Defect("201 before COMMIT", ids("C1"), shows=(36,)),
            Defect("a declared idempotency key that is ignored", ids("C3")),
        ),
        not_assessed=ids("C5"),  # it acknowledges every write that it carries out
    ),
    Control(
        module="consistency",
        name="success_after_a_timeout",
        judged_by=CONSISTENCY,
        defects=(Defect("a write acknowledged after a time-out", ids("C1"), shows=(51,)),),
        not_assessed=ids("C5"),  # it acknowledges every write that it carries out
    ),
    Control(
        module="consistency",
        name="success_before_the_disk",
        judged_by=ids("C1 C3 C5"),  # readers may see a row that is lost, or not (C2)
        defects=(Defect("a COMMIT that does not wait for the disk", ids("C1")),),
    ),
    Control(
        module="consistency",
        name="retries_without_a_key",
        judged_by=CONSISTENCY,
        defects=(
            Defect(
                "POST retried without a key",
                ids("C3 C4 C5"),
                because="The last try may be refused after an earlier one was carried out.",
                shows=(38,),
            ),
        ),
        declares={"operations": [ORDERS, replace(PLACE, idempotency_header=None)]},
    ),
    Control(
        module="consistency",
        name="swallowed_error_bundle",
        judged_by=CONSISTENCY,
        defects=(
            Defect("the error of a statement swallowed, so COMMIT rolls back", ids("C1")),
            Defect("a duplicate check before the write, without a constraint", ids("C3")),
        ),
    ),
    Control(
        module="consistency",
        name="not_saved",
        judged_by=CONSISTENCY,
        defects=(
            Defect(
                "503 for a COMMIT without a reply",
                ids("C4 C5"),
                because="The histories lose replies of COMMIT, too.",
                shows=(39, 67),
            ),
        ),
    ),
    Control(
        module="consistency",
        name="counted_afterwards_bundle",
        # C5 sees the first defect only where the fault begins between the two transactions.
        judged_by=CONSISTENCY - ids("C5"),
        defects=(
            Defect("a second transaction after the first was committed", ids("C4"), shows=(67,)),
            Defect("orders that are listed before their COMMIT", ids("C2")),
        ),
    ),
    Control(
        module="event_loop",
        name="synchronous_driver",
        judged_by=EVENT_LOOP,
        defects=(
            Defect(
                "a synchronous driver called in async def",
                ids("X1 X3"),
                because="While it waits for the database, no other request is served.",
                shows=(1,),
            ),
        ),
    ),
    Control(
        module="event_loop",
        name="synchronous_writes",
        judged_by=EVENT_LOOP,
        defects=(
            Defect(
                "a synchronous driver called in async def, for writes",
                ids("X1 X3"),
                because="A write holds the event loop, and so other writes wait for it.",
                shows=(1,),
            ),
        ),
    ),
    Control(
        module="event_loop",
        name="event_loop_bundle",
        judged_by=EVENT_LOOP,
        defects=(
            Defect("time.sleep in a coroutine", ids("X1"), shows=(3,)),
            Defect("a lock around the database", ids("X3")),
        ),
    ),
    Control(
        module="steady",
        name="slow_without_a_fault",
        judged_by=ids("H0"),
        defects=(Defect("later than D without any fault", frozenset()),),
        steady=False,
    ),
)
