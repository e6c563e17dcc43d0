"""Controls of what only some services declare."""

from dataclasses import replace

from brownout import Errors, Feed, Operation, Streaming
from tests.controls.control import BACKGROUND, DECLARED, Control, Defect, ids
from tests.controls.kiosk.board import CHANGE
from tests.controls.kiosk.declaration import ORDERS, PLACE

__all__ = ["FEATURES"]

_DECLARES = {
    "operations": (
        replace(ORDERS, deadline_header="X-Request-Timeout-Ms"),
        replace(
            PLACE,
            invariant="select (select count(*) from orders) - (select count(*) from receipts)",
        ),
        Operation.compute("digest", "GET", "/digest"),
    ),
    "errors": Errors(origin="origin"),
}

_FOLLOWS = {
    "feed": Feed(change=CHANGE, path="/notes"),
    "streaming": Streaming(path="/orders/stream"),
}

FEATURES = (
    Control(
        module="declared",
        name="broken_declaration_bundle",
        judged_by=DECLARED,
        defects=(
            Defect("a used key answered with the old order, whatever is ordered", ids("C6")),
            Defect("the caller's deadline is not read", ids("T4")),
            Defect("CPU-bound work in the event loop", ids("X2"), shows=(2,)),
        ),
        tolerated=ids("T4"),
        declares=_DECLARES,
    ),
    Control(
        module="declared",
        name="keys_in_memory",
        judged_by=ids("C6"),
        defects=(Defect("the idempotency keys are in the process's memory", ids("C6")),),
        declares=_DECLARES,
    ),
    Control(
        module="declared",
        name="separate_receipts_bundle",
        judged_by=DECLARED | BACKGROUND,
        defects=(
            Defect("an order and its receipt in two transactions", ids("C7")),
            Defect("one origin for all errors", ids("E10")),
        ),
        declares={**_DECLARES, **_FOLLOWS},
    ),
    Control(
        module="declared",
        name="deaf_and_streaming_bundle",
        judged_by=BACKGROUND,
        defects=(
            Defect(
                "the listener's connection ends, and nothing listens any more",
                ids("V8"),
                shows=(63,),
            ),
            Defect("each open stream holds a connection", ids("P12"), shows=(62,)),
        ),
        tolerated=ids("P12"),
        declares=_FOLLOWS,
    ),
    Control(
        module="kept_open",
        name="transaction_open_after_a_stream",
        judged_by=ids("P3 P5 P12"),
        defects=(
            Defect("a stream reads once more when its request is over", ids("P5"), shows=(65,)),
        ),
        declares={"streaming": _FOLLOWS["streaming"]},
    ),
    Control(
        module="declared",
        name="notes_missed",
        judged_by=BACKGROUND,
        defects=(
            Defect("what was notified while it did not listen is lost", ids("V8"), shows=(63,)),
        ),
        declares=_FOLLOWS,
    ),
)
