"""Controls of retries."""

from tests.controls.catalogue.overload import CAPPED
from tests.controls.control import OVERLOAD, RETRIES, Control, Defect, ids

__all__ = ["RETRY"]

RETRY = (
    Control(
        module="retries",
        name="hasty_retries_bundle",
        judged_by=RETRIES,
        defects=(
            Defect("a fixed pause between attempts", ids("R3")),
            Defect("a line of level ERROR for each attempt", ids("O3")),
            Defect("a COMMIT without a reply repeated without a key", ids("R6"), shows=(38,)),
        ),
        tolerated=ids("R3 O3"),
    ),
    Control(
        module="retries",
        name="two_layers_of_retries",
        judged_by=RETRIES,
        defects=(
            Defect(
                "a layer that retries inside another one",
                ids("R1 R2 R8"),
                because="Their attempts multiply, and so does the load.",
                shows=(43,),
            ),
        ),
        tolerated=ids("R2 R8"),
    ),
    Control(
        module="retries",
        name="wrong_retries_bundle",
        judged_by=RETRIES - ids("R2 R3"),  # what is late is not tried often enough to see these
        defects=(
            Defect(
                "one statement retried in a transaction that has failed", ids("R5"), shows=(41,)
            ),
            Defect("a value that cannot be stored retried", ids("R4")),
            Defect("retries that do not look at the deadline", ids("R7")),
        ),
    ),
    Control(
        module="retries",
        name="commits_outside_of_retries",
        judged_by=ids("R4 R5"),
        defects=(Defect("a conflict at COMMIT, which comes after the retries", ids("R4")),),
    ),
    Control(
        module="retries",
        name="reads_retry_any_error",
        judged_by=ids("R4 R5"),
        defects=(Defect("a read that is tried again after any error", ids("R4")),),
    ),
    Control(
        module="retries",
        name="no_retries",
        judged_by=RETRIES | OVERLOAD,
        defects=(Defect("conflicts between transactions are not retried", ids("R4")),),
        not_assessed=ids("R3 R5 R7"),
        left_open=OVERLOAD,
        declares=CAPPED,
    ),
)
