"""Controls with wrong answers: the format of errors, their status, and what they reveal."""

from tests.controls.control import ERROR_FORMAT, TRACEABILITY, Base, Control, Defect, ids
from tests.controls.kiosk.counter import SCHEMA

__all__ = ["ANSWERS"]

ANSWERS = (
    Control(
        module="framework",
        name="framework_plain_text",
        base=Base.SHOP,
        judged_by=ERROR_FORMAT,
        defects=(
            Defect(
                "the framework's own text/plain 500",
                ids("E1 E4"),
                because="Plain text is neither the media type nor the schema.",
                shows=(27,),
            ),
        ),
    ),
    Control(
        module="framework",
        name="own_shape_for_validation",
        base=Base.SHOP,
        judged_by=ERROR_FORMAT,
        defects=(
            Defect(
                "validation errors in another format than database errors", ids("E4"), shows=(29,)
            ),
        ),
    ),
    Control(
        module="errors",
        name="ended_session_bundle",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect(
                "an HTML 500",
                ids("E1 E4"),
                because="HTML is neither the media type nor the schema.",
                shows=(26,),
            ),
            Defect("a session that the server ends mid-work mapped to 500", ids("E5"), shows=(31,)),
            Defect("a stale list, unmarked and undeclared", ids("E9"), shows=(35,)),
        ),
    ),
    Control(
        module="errors",
        name="media_type_bundle",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect("problems sent as application/json", ids("E1")),
            Defect("a traceback in the answer", ids("Z1"), shows=(28,)),
            Defect("a duplicate key mapped to 500", ids("E7"), shows=(33,)),
            Defect("a Retry-After that is neither seconds nor a date", ids("E6"), shows=(32,)),
        ),
        # A caller with another idempotency key can duplicate a customer.
        declares={"seed": [SCHEMA, "CREATE UNIQUE INDEX IF NOT EXISTS one ON orders (customer)"]},
    ),
    Control(
        module="errors",
        name="streamed_answer_bundle",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect("the body's status differs from the HTTP status", ids("E2"), shows=(30,)),
            Defect(
                "a streamed answer that breaks off when the database's does",
                ids("E5 E8"),
                because="An answer that breaks off is not a 503 either.",
            ),
        ),
    ),
    Control(
        module="errors",
        name="outage_bundle",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect("an outage mapped to 500", ids("E5"), shows=(31,)),
            Defect("the driver's message in a header", ids("Z1"), shows=(58,)),
        ),
        not_assessed=ids("E6"),  # without any 503, no answer needs a Retry-After
    ),
    Control(
        module="errors",
        name="lost_connection_bundle",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect("a connection lost in use mapped to 500", ids("E5"), shows=(31,)),
            Defect("conflicts in another format than other errors", ids("E4")),
            Defect("the moment of the error in its title", ids("E3")),
        ),
        tolerated=ids("E3"),
    ),
    Control(
        module="errors",
        name="statement_timeout_bundle",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect("no Retry-After", ids("E6"), shows=(32,)),
            Defect("the service's own statement_timeout mapped to 500", ids("E5"), shows=(31,)),
            Defect("a list cut short when the database's answer breaks off", ids("E8")),
        ),
        tolerated=ids("E6"),
    ),
    Control(
        module="errors",
        name="undetermined_commit_bundle",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect("a COMMIT without a reply mapped to 500", ids("E5"), shows=(31,)),
            Defect("a conflict with another status in its body", ids("E2"), shows=(30,)),
            Defect("a conflict with PostgreSQL's message", ids("Z1")),
            Defect("a missing member refused in another format", ids("E4"), shows=(29,)),
            Defect("no Retry-After when the pool is full", ids("E6"), shows=(32,)),
            Defect("a list cut short at the deadline", ids("E8")),
        ),
        tolerated=ids("E6"),
    ),
    Control(
        module="traces",
        name="ids_that_are_not_logged",
        judged_by=TRACEABILITY,
        defects=(Defect("another id in the log than in the answer", ids("O1"), shows=(50,)),),
    ),
    Control(
        module="traces",
        name="traces_bundle",
        judged_by=TRACEABILITY,
        defects=(
            Defect("no SQLSTATE in the log", ids("O4")),
            Defect("a new trace for each error", ids("O2")),
        ),
        tolerated=ids("O2"),
    ),
    Control(
        module="answers",
        name="empty_instead",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect(
                "errors swallowed: 200 with []",
                ids("E8 E9"),
                because="An empty list is an undeclared success, and a list cut short.",
                shows=(34,),
            ),
        ),
    ),
)
