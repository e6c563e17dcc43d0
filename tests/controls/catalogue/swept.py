"""Controls of the sweep: defects that show only where one certain step fails."""

from dataclasses import replace

from tests.controls.control import SWEPT, Control, Defect, ids
from tests.controls.kiosk.declaration import ORDERS, PLACE

__all__ = ["SWEEPS"]

_WHOLE = replace(
    PLACE,
    invariant="select (select count(*) from orders) - (select count(*) from receipts)",
)
_KEYLESS = replace(_WHOLE, idempotency_header=None)
_RECEIPT = "place-order/insert receipts"
_ORDER = "place-order/select orders"
_COMMIT = "place-order/COMMIT"


def _control(
    name: str,
    defect: str,
    breaks: str,
    *,
    step: str,
    shown_in: str,
    beside: str,
    because: str = "",
    keyed: bool = True,
    left_open: str = "C1 C3 C4 C5 C6 C7 E1 E4 E5",
) -> Control:
    """`shown_in` are cases of the step that must show the defect; the control is judged on these
    and on those `beside` them."""
    cases = [*shown_in.split(), *beside.split()]
    return Control(
        module="swept",
        name=name,
        judged_by=SWEPT,
        defects=(Defect(defect, ids(breaks), because=because),),
        declares={"operations": (ORDERS, _WHOLE if keyed else _KEYLESS)},
        left_open=ids(left_open),
        sweep=",".join(f"sweep/{step}/{case}" for case in cases),
        shown_in=frozenset(f"{step}/{one}" for one in shown_in.split()),
    )


SWEEPS = (
    _control(
        "keeps_the_connection",
        "a connection that leaks only if the second statement of a transaction is refused",
        "P4",
        step=_RECEIPT,
        shown_in="error-40001 error-XX000",
        beside="cut-before lost-reply",
    ),
    _control(
        "skips_the_rollback",
        "a rollback that is skipped after a deadlock",
        "P4 P5",
        because="The next caller meets a transaction that has failed; without one it stays open "
        "for ever.",
        step=_RECEIPT,
        shown_in="error-40P01",
        beside="error-57014 cut-before",
        keyed=False,  # of two callers with one key the database refuses one, which shows it as well
    ),
    _control(
        "repeats_one_statement",
        "a retry that repeats one statement of a transaction",
        "C1 C7",
        because="The order is gone with its transaction, and the receipt is there.",
        step=_RECEIPT,
        shown_in="error-55P03",
        beside="error-40001 cut-before silence",
    ),
    _control(
        "success_after_a_failed_commit",
        "a success after a COMMIT that the server refused",
        "C1",
        step=_COMMIT,
        shown_in="error-40001 error-23503 error-53100",
        beside="lost-reply cut-before",
    ),
    _control(
        "closes_no_cursor",
        "a cursor that stays open if reading from it fails",
        "P4",
        step="list-orders/FETCH all",
        shown_in="error-57014",
        beside="cut-before lost-reply",
    ),
    _control(
        "forgets_to_prepare",
        "a prepared statement that is lost, and not prepared again",
        "P4",
        step="list-orders/EXECUTE listed",
        shown_in="error-26000",
        beside="cut-before lost-reply",
    ),
    _control(
        "lies_the_second_time",
        "a success after two faults in a row",
        "C1",
        step=_RECEIPT,
        shown_in="error-40001-twice",
        beside="error-40001 reset-before-twice cut-after",
    ),
    _control(
        "forgets_the_key",
        "a key that is forgotten after a failure, while two callers use it at once",
        "C6",
        step=_RECEIPT,
        shown_in="error-XX000 cut-before",
        beside="silence",
    ),
    _control(
        "burns_the_key",
        "a key that cannot be used again after an uncertain COMMIT",
        "C6",
        step=_COMMIT,
        shown_in="lost-reply silence",
        beside="error-40001 error-23503",
    ),
    _control(
        "commits_what_is_there",
        "a write that is refused and partly committed",
        "C4 C7",
        because="The order is there, its receipt is not, and the caller is told to try again.",
        step=_RECEIPT,
        shown_in="error-53200",
        beside="error-57014 cut-before lost-reply",
    ),
    _control(
        "drops_the_rest",
        "a write that is acknowledged and partly committed",
        "C7",
        step=_RECEIPT,
        shown_in="error-53200",
        beside="error-57014 cut-before lost-reply",
    ),
    _control(
        "waits_for_commit",
        "a COMMIT without a time-out",
        "T1",
        step=_COMMIT,
        shown_in="silent-reply",
        beside="lost-reply error-40001",
    ),
    _control(
        "gives_up_for_good",
        "one kind of a lost connection after which nothing is served any more",
        "V2",
        step=_COMMIT,
        shown_in="idle-timeout",
        beside="shutdown cut-before error-40001",
    ),
    _control(
        "opens_one_more",
        "connections that are opened beside the pool where one is lost at work",
        "P1",
        step=_ORDER,
        shown_in="cut-before lost-reply",
        beside="error-57014 shutdown",
    ),
)
