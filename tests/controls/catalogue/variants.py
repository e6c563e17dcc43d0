"""Controls whose defect shows in one place or manner only: one fault, one class of errors, writes.

A suite that knows a defect by its usual example lets these live.
"""

from dataclasses import replace

from tests.controls.catalogue.overload import CAPPED
from tests.controls.control import Control, Defect, ids
from tests.controls.kiosk.counter import SCHEMA
from tests.controls.kiosk.declaration import ORDERS, PLACE

__all__ = ["VARIANTS"]


def _control(
    module: str,
    name: str,
    shows: tuple[int, ...],
    what: str,
    breaks: str,
    *,
    tolerated: str = "",
    because: str = "",
) -> Control:
    """A control with one defect, which is judged by the promises that it breaks."""
    return Control(
        module=module,
        name=name,
        defects=(Defect(what, ids(breaks), because=because, shows=shows),),
        judged_by=ids(breaks),
        tolerated=ids(tolerated),
    )


_PAGE = {"operations": (replace(ORDERS, path="/orders?limit=10"), PLACE)}

VARIANTS = (
    _control(
        "swallowed",
        "empty_without_a_table",
        (52,),
        "[] where a table is missing or forbidden",
        "E9",
    ),
    _control(
        "swallowed",
        "empty_after_a_time_out_of_the_server",
        (52,),
        "[] where the server has cancelled the query",
        "E9",
    ),
    _control(
        "swallowed", "empty_while_starting_up", (52,), "[] while the server is starting up", "E9"
    ),
    _control("swallowed", "no_content_after_a_reset", (34,), "204 after a reset connection", "E9"),
    _control("swallowed", "error_in_a_success", (34,), "200 with an `error` member", "E9"),
    _control(
        "swallowed",
        "stale_while_slow",
        (35,),
        "a stale list while the database is slow, unmarked",
        "E9",
    ),
    _control(
        "swallowed",
        "accepted_without_permission",
        (34,),
        "201 for a write that the server has refused",
        "C1 E9",
        because="It acknowledges what is not there.",
    ),
    _control("told", "plain_json_while_starting_up", (), "57P03 sent as application/json", "E1"),
    _control(
        "told",
        "html_when_the_disk_is_full",
        (26,),
        "an HTML page for a full disk",
        "E1 E4",
        because="HTML is neither the media type nor the schema.",
    ),
    _control(
        "told",
        "unusable_value_in_text",
        (27,),
        "an unusable value refused in plain text",
        "E1 E4",
        because="Plain text is neither the media type nor the schema.",
    ),
    replace(
        _control(
            "told",
            "own_shape_for_a_parameter",
            (29,),
            "a parameter refused in another format",
            "E4",
        ),
        declares=_PAGE,
    ),
    _control(
        "told", "text_refused_in_text", (29,), "another media type refused in plain text", "E4"
    ),
    _control("told", "only_two_codes_of_values", (), "a NUL in a text mapped to 500", "E7"),
    replace(
        _control(
            "told",
            "limit_without_bounds",
            (),
            "a number that the driver refuses to send mapped to 500",
            "E7",
        ),
        declares=_PAGE,
    ),
    _control("told", "retry_after_without_a_zone", (32,), "a Retry-After date without GMT", "E6"),
    _control("told", "retry_after_in_the_past", (32,), "a Retry-After that is over", "E6"),
    _control("told", "sql_in_a_header", (58,), "the SQL in a header, in small letters", "Z1"),
    _control(
        "told",
        "class_of_the_driver_in_a_member",
        (58,),
        "the driver's class in a member, for XX000",
        "Z1",
    ),
    replace(
        _control(
            "told",
            "door_in_plain_text",
            (56,),
            "the door refuses in text/plain without Retry-After",
            "E1 E4 E6",
            because="The door is another part of the service than what answers inside.",
        ),
        tolerated=ids("E6"),
        declares=CAPPED,
    ),
    _control(
        "again", "tries_until_the_server_is_up", (42,), "connects while the server starts up", "T1"
    ),
    _control(
        "again",
        "tries_until_it_has_a_slot",
        (42,),
        "connects until the server has a slot",
        "P9 T1",
        because="A request that waits for a slot gets no 503.",
    ),
    _control("again", "pause_that_doubles", (55,), "a rest that doubles without a cap", "V1"),
    _control(
        "later",
        "text_when_it_cannot_count",
        (27, 31),
        "the framework's own 500 where a second statement fails",
        "E1 E4 E5",
        because="Plain text is neither the media type nor the schema, and 500 is no 503.",
    ),
    _control(
        "later",
        "breaker_after_a_hundred",
        (31,),
        "500 of a breaker that opens after a hundred failures",
        "E5",
    ),
    _control(
        "later", "read_only_once_full", (), "no writes after a full disk, until a restart", "V2"
    ),
    _control("again", "locked_writes", (54,), "one lock around all writes", "X3"),
    _control("probed", "readiness_by_a_connect", (53,), "readiness is a TCP connect", "H3"),
    _control(
        "probed",
        "readiness_down_with_200",
        (66,),
        "readiness says DOWN with 200",
        "H3 H8",
        tolerated="H8",
        because="An orchestrator reads the status, and a person the body.",
    ),
    _control(
        "probed", "ready_while_starting_up", (21,), "ready while every connect is refused", "H3"
    ),
    _control("probed", "readiness_after_a_minute", (21,), "readiness asks once a minute", "H3"),
    _control(
        "probed", "readiness_late_after_full_slots", (22,), "unready for long after 53300", "H4"
    ),
    _control(
        "probed", "readiness_waits_for_a_lock", (23,), "readiness counts rows of a table", "H5"
    ),
    _control(
        "probed",
        "liveness_in_the_thread_pool",
        (64,),
        "liveness is a blocking handler in the requests' threads",
        "H2",
    ),
    _control(
        "kept_open",
        "transaction_open_after_a_read",
        (65,),
        "a read never ends its transaction",
        "P5",
    ),
    _control(
        "kept_open",
        "transaction_open_after_a_mistake",
        (15,),
        "a mistake leaves a transaction open",
        "P5",
    ),
    _control(
        "kept_open", "leak_after_an_unusable_value", (13,), "a place lost with each bad value", "P4"
    ),
    _control(
        "kept_open",
        "leak_after_a_failed_commit",
        (57,),
        "a place lost with each failed COMMIT",
        "P4",
    ),
    _control("kept_open", "leak_after_a_mistake", (13,), "a place lost with each mistake", "P4"),
    _control(
        "narrow",
        "attempts_without_a_limit",
        (42,),
        "retries for as long as there is time",
        "R1",
    ),
    replace(
        _control(
            "narrow",
            "key_outside_the_transaction",
            (40,),
            "a key noted outside of the order's transaction",
            "C1 C6",
            because="A key whose order failed is answered as if it were there.",
        ),
        declares={"seed": [SCHEMA, "CREATE TABLE IF NOT EXISTS used_keys (key text PRIMARY KEY)"]},
    ),
    replace(
        _control(
            "narrow",
            "key_burnt_by_a_failure",
            (),
            "409 for a key whose first request failed, for good",
            "C6",
        ),
        declares={
            "seed": [
                SCHEMA,
                "CREATE TABLE IF NOT EXISTS marks (key text PRIMARY KEY, customer text, "
                "number bigint)",
            ]
        },
    ),
    _control("narrow", "no_deadline_for_writes", (7,), "no time-out on writes", "T1"),
    _control("narrow", "pool_of_its_own_for_writes", (5,), "a second pool for writes", "P1"),
    _control(
        "failover",
        "new_pool_after_a_switchover",
        (),
        "a new pool after a switchover beside the old one, which stays open",
        "P1",
    ),
    _control(
        "narrow", "readiness_with_the_dsn", (25,), "readiness that passes shows the DSN", "Z2"
    ),
    _control(
        "narrow",
        "silent_commit_not_saved",
        (39,),
        "503 for a COMMIT that is silent until the deadline",
        "C5",
    ),
    _control(
        "consistency",
        "not_saved_in_one_statement",
        (),
        "503 for a statement that a frozen server carries out later",
        "C4",
    ),
    _control(
        "consistency",
        "refused_commit_taken_for_done",
        (36,),
        "201 although the server has refused the COMMIT",
        "C1",
    ),
    _control(
        "narrow",
        "sleeps_when_refused",
        (3,),
        "time.sleep before a second connect, in an outage",
        "P10",
    ),
)
