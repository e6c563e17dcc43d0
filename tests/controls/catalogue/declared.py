"""Controls of what only some services declare."""

from dataclasses import replace

from brownout import Errors, Operation
from tests.controls.control import DECLARED, Control, Defect, ids
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
        name="separate_receipts_bundle",
        judged_by=DECLARED,
        defects=(
            Defect("an order and its receipt in two transactions", ids("C7")),
            Defect("one origin for all errors", ids("E10")),
        ),
        declares=_DECLARES,
    ),
)
