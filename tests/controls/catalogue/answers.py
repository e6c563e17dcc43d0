"""Controls of what is answered: the format of errors, their honesty, what they give away."""

from tests.controls.control import ERROR_FORMAT, Base, Control, Defect, ids

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
            ),
        ),
    ),
    Control(
        module="framework",
        name="own_shape_for_validation",
        base=Base.SHOP,
        judged_by=ERROR_FORMAT,
        defects=(Defect("validation errors in another shape than database errors", ids("E4")),),
    ),
    Control(
        module="errors",
        name="html_page_and_old_list",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect(
                "an HTML 500",
                ids("E1 E4"),
                because="HTML is neither the media type nor the schema.",
            ),
            Defect("a session ended in the middle of its work mapped to 500", ids("E5")),
            Defect("a stale list, served without a mark and not declared", ids("E9")),
        ),
    ),
    Control(
        module="errors",
        name="plain_json_and_traceback_and_soon",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect("problems that leave as application/json", ids("E1")),
            Defect("a traceback in the answer", ids("Z1")),
            Defect("a Retry-After that is neither seconds nor a date", ids("E6")),
        ),
    ),
    Control(
        module="errors",
        name="wrong_status_and_breaking_off",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect("the body's status differs from the HTTP status", ids("E2")),
            Defect(
                "a streamed answer that breaks off with the database's",
                ids("E5 E8"),
                because="An answer that breaks off is not a 503 either.",
            ),
        ),
    ),
    Control(
        module="errors",
        name="outage_is_a_bug_and_driver_text",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect("an outage mapped to 500", ids("E5")),
            Defect("what the driver said, in a header", ids("Z1")),
        ),
        not_assessed=ids("E6"),  # where nothing is refused with 503, nothing says when to retry
    ),
    Control(
        module="errors",
        name="lost_connection_is_a_bug_and_own_conflict",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect("a connection lost in use mapped to 500", ids("E5")),
            Defect("conflicts in another shape than other errors", ids("E4")),
        ),
    ),
    Control(
        module="errors",
        name="no_retry_after_and_shorter_list",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect("no Retry-After", ids("E6")),
            Defect("the service's own statement_timeout mapped to 500", ids("E5")),
            Defect("a list cut short where the database's answer breaks off", ids("E8")),
        ),
        tolerated=ids("E6"),
    ),
    Control(
        module="errors",
        name="undecided_is_a_bug_and_odd_refusals",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect("a COMMIT that was not answered mapped to 500", ids("E5")),
            Defect("a conflict with another status in its body", ids("E2")),
            Defect("a conflict in PostgreSQL's words", ids("Z1")),
            Defect("a missing member refused in another shape", ids("E4")),
            Defect("no Retry-After where the pool is full", ids("E6")),
            Defect("a list cut short where the time is over", ids("E8")),
        ),
        tolerated=ids("E6"),
    ),
    Control(
        module="answers",
        name="empty_instead",
        judged_by=ERROR_FORMAT,
        defects=(
            Defect(
                "errors swallowed: 200 with []",
                ids("E8 E9"),
                because="An empty list is a success without the database, and a list cut short.",
            ),
        ),
    ),
)
