"""What the engine recorded becomes steps, the statement to hit is found, log levels are read."""

import pytest

from brownout.engine.direction import StreamDirection
from brownout.engine.wire.events import Event
from brownout.engine.wire.patterns import pattern_of
from brownout.trial import Exchange, WireStep
from brownout.trial.exchanges import error_lines, steps_of, target_of
from brownout.trial.sweep.statements import key_of
from tests.core.made import answer

UP, DOWN = StreamDirection.UPSTREAM, StreamDirection.DOWNSTREAM

FIND = "select id from orders where customer = $1"
PLACE = "insert into orders (customer) values ($1)"


def event(
    sql: str | None,
    *,
    at: float = 1.0,
    session: int = 1,
    kind: str = "Execute",
    direction: StreamDirection = UP,
    rule: str | None = None,
) -> Event:
    return Event(1, at, session, direction, kind, sql, None, None, "T", 9, rule)


def test_what_is_executed_is_a_step_and_what_a_rule_acted_on_is_a_hit() -> None:
    steps = steps_of(
        [
            event(PLACE, kind="Parse"),
            event(PLACE, at=2.0),
            event(FIND, at=3.0, kind="Query"),
            event(PLACE, at=4.0, rule="error_1"),
            event(PLACE, at=4.1, kind="ErrorResponse", direction=DOWN, rule="error_1"),
            event("COMMIT", at=5.0, kind="CommandComplete", direction=DOWN, rule="cut_1"),
            event("COMMIT", at=6.0, kind="CommandComplete", direction=DOWN),
        ]
    )
    assert [(step.time, step.hit) for step in steps] == [
        (2.0, False), (3.0, False), (4.0, True), (5.0, True),
    ]  # fmt: skip


def test_what_stands_in_the_place_of_a_refused_commit_is_no_further_hit() -> None:
    steps = steps_of(
        [
            event("COMMIT", at=1.0, kind="Query", rule="error_1"),
            event("COMMIT", at=1.1, kind="CommandComplete", direction=DOWN, rule="error_1"),
            event("COMMIT", at=1.2, kind="ErrorResponse", direction=DOWN, rule="error_1"),
            event("COMMIT", at=2.0, kind="Query", session=2),
            event("COMMIT", at=2.1, kind="CommandComplete", direction=DOWN, session=2, rule="x"),
        ]
    )
    assert [(step.time, step.hit) for step in steps] == [(1.0, True), (2.0, False), (2.1, True)]


def test_the_service_s_own_statements_are_left_out_unless_they_were_hit() -> None:
    events = [event("select 1", at=1.0), event("select 2", at=2.0, rule="x"), event(FIND)]
    steps = steps_of(events, {"select ?"})
    assert [(step.sql, step.hit) for step in steps] == [("select ?", True), (FIND, False)]


@pytest.mark.parametrize(
    ("statements", "target"),
    [
        ([FIND, PLACE, "COMMIT"], PLACE),
        ([PLACE, FIND], PLACE),
        (["select 1", FIND], FIND),
        ([FIND, "select name from items for update"], "select name from items for update"),
        ([FIND, FIND, "select name from items"], "select name from items"),
        ([FIND, "update stock set left = left - 1"], "update stock set left = left - ?"),
        (["delete from orders where id = 1", FIND], "delete from orders where id = ?"),
    ],
)
def test_the_statement_to_hit_is_the_last_that_writes_or_the_last(
    statements: list[str], target: str
) -> None:
    found = target_of([[event(sql) for sql in statements]] * 2, set())
    assert found is not None
    assert found.sql == target
    raw = next(sql for sql in statements if key_of(sql) == found.sql)
    pattern = pattern_of(found.pattern)
    assert pattern.found_in(f"  {raw}")
    assert not pattern.found_in("select count(*) from orders")


COMMENTED = [
    f"-- name: PlaceOrder :one\n{PLACE}",
    f"/* insert for shop.Order */{PLACE}",
    f"/*action='place',request_id='7'*/ -- don't\n /* no 1 */ {PLACE} /*traceparent='00'*/",
    PLACE.replace("into", "/*+ a hint */into -- orders\n"),
    PLACE.replace(" ", " /* as many as make a pattern too large */ ")
    + " ".join(f"-- {number}\n" for number in range(20)),
]


@pytest.mark.parametrize("sql", COMMENTED)
def test_comments_are_no_part_of_a_statement(sql: str) -> None:
    (step,) = steps_of([event(sql)])
    assert (step.sql, step.works, step.writes) == (PLACE, True, True)


@pytest.mark.parametrize("sql", COMMENTED)
def test_a_statement_is_hit_whatever_its_comments_say(sql: str) -> None:
    found = target_of([[event(FIND), event(sql), event("commit")]] * 3, set())
    assert found is not None
    assert found.sql == PLACE
    pattern = pattern_of(found.pattern)
    assert pattern.found_in(sql)
    assert pattern.found_in(f"/* another\none */ {sql}")
    assert not pattern.found_in(f"/* {PLACE} */ {FIND}")
    assert not pattern.found_in(f"-- {PLACE}\n{FIND}")


def test_a_comment_does_not_make_a_statement_the_request_s_own() -> None:
    background = {step.sql for step in steps_of([event(f"/* watch */ {FIND}")])}
    assert target_of([[event(f"/* list */ {FIND}"), event("-- a\nselect 1")]], background) is None


def test_a_statement_that_is_not_always_sent_or_not_the_request_s_is_not_hit() -> None:
    assert target_of([[event(FIND)], []], set()) is None
    assert target_of([[event(FIND)]], {FIND}) is None
    assert target_of([[event("select 1"), event("BEGIN")]], set()) is None
    assert target_of([], set()) is None


COLUMNS = ", ".join(f'"shop_order"."column_{number}"' for number in range(9))
LISTED = f'SELECT {COLUMNS} FROM "shop_order" WHERE "shop_order"."id" = $1'  # noqa: S608 - never run
POLLED = f'SELECT {COLUMNS} FROM "shop_order" WHERE "shop_order"."sent" LIMIT 9'  # noqa: S608


def test_a_statement_that_begins_as_one_of_the_service_s_own_is_not_hit() -> None:
    polled = {step.sql for step in steps_of([event(POLLED)])}
    request = [event(FIND), event(LISTED)]
    found = target_of([request] * 2, polled)
    assert found is not None
    assert found.sql == FIND
    assert target_of([request[1:]] * 2, polled) is None
    alone = target_of([request] * 2, set())
    assert alone is not None
    assert alone.sql == key_of(LISTED)


def test_it_is_known_how_often_a_request_sends_what_is_hit() -> None:
    once = target_of([[event(FIND), event(PLACE)]] * 2, set())
    fanned_out = target_of([[event(FIND)] * 5, [event(FIND)] * 4], set())
    alike = target_of([[event(POLLED), event(LISTED)]] * 2, set())
    batch = target_of([[event("BEGIN"), *[event(PLACE)] * 2, event("COMMIT")]] * 2, set())
    assert [one and one.times for one in (once, fanned_out, alike, batch)] == [1, 5, 2, 2]


def test_repeats_are_later_executions_of_what_was_hit_first() -> None:
    hit, again = WireStep(1.0, 1, PLACE, "T", hit=True), WireStep(3.0, 2, PLACE, "T")
    steps = (WireStep(0.5, 1, PLACE, "T"), hit, WireStep(2.0, 1, "ROLLBACK", "E"), again)
    assert Exchange((answer(),), steps).repeats() == (again,)
    assert Exchange((answer(),), (again,)).repeats() == ()


ERRORS = [
    '{"level": "error", "event": "x"}',
    '{"msg": "x", "severity": "ERROR"}',
    '{"level": 50, "msg": "x"}',
    '{"levelname": "CRITICAL"}',
    "2024-01-01 10:00:00,123 ERROR [main] shop: x",
    "2024-01-01T10:00:00.123Z ERROR 1 --- [exec-1] shop: x",
    "ERROR:    Exception in ASGI application",
    "[2024-01-01 10:00:00,123] ERROR in app: x",
    'time=2024-01-01T10:00:00Z level=ERROR msg="x"',
    'ts=1 level=error msg="x"',
    "E, [2024-01-01T10:00:00.123456 #1] ERROR -- : x",
    "F, [2024-01-01T10:00:00.123456 #1] FATAL -- : x",
    "10:00:00.123 [main] ERROR c.s.Orders - x",
    "10:00:00.123 [http-nio-8080-exec-1] [tenant=a] ERROR shop.Orders - x",
    "2024-01-01 10:00:00,123 - shop.orders - ERROR - x",
    "2024-01-01 10:00:00,123 - shop - CRITICAL - x",
    "2024-01-01 10:00:00,123 shop.orders [ERROR] x",
    "[2024-01-01T10:00:00.123456+00:00] app.ERROR: x {} []",
    "[2024-01-01 10:00:00] app.CRITICAL: x {} []",
    '{"message": "x", "level": 400, "level_name": "ERROR"}',
    "10:00:00.000 [error] x",
    "10:00:00.000 request_id=F1 [error] x",
    "error: x",
    "\x1b[31merror\x1b[39m: x",
    "[10:00:00 ERR] x",
    "[10:00:00 FTL] x",
    '{"@t": "2024-01-01T10:00:00Z", "@mt": "x", "@l": "Error"}',
    "\x1b[2m2024-01-01T10:00:00.123456Z\x1b[0m \x1b[31mERROR\x1b[0m \x1b[2mshop\x1b[0m: x",
    "[2024-01-01T10:00:00Z ERROR shop] x",
]
OTHERS = [
    '{"level": "warning", "event": "ERROR"}',
    '{"level": 40, "msg": "error"}',
    '{"event": "error"',
    "2024-01-01 10:00:00,123 WARN shop: after ERROR: could not serialize access",
    "org.postgresql.util.PSQLException: ERROR: could not serialize access",
    "    at shop.Orders.place(Orders.java:41)",
    "INFO an error was handled",
    "I, [2024-01-01T10:00:00.123456 #1]  INFO -- : ERROR: could not serialize access",
    "10:00:00.123 [main] WARN c.s.Orders - ERROR: could not serialize access",
    "10:00:00.123 [main] c.s.Orders WARN ERROR",
    "2024-01-01 10:00:00,123 - shop.orders - INFO - ERROR",
    "2024-01-01 10:00:00,123 retrying: ERROR: could not serialize access (SQLSTATE 40001)",
    "2024/01/01 10:00:00 attempt 2 failed: ERROR: could not serialize access (SQLSTATE 40001)",
    "2024/01/01 10:00:00 got ERROR: could not serialize access (SQLSTATE 40001)",
    "2024/01/01 10:00:00 tried again after ERROR",
    "2024-01-01 10:00:00,123 shop.ERRORS loaded",
    "[2024-01-01T10:00:00.123456+00:00] app.INFO: ERROR {} []",
    "10:00:00.000 [info] [error] x",
    "[10:00:00 WRN] [error] x",
    '{"@t": "2024-01-01T10:00:00Z", "@mt": "error", "@l": "Warning"}',
    '{"message": "error", "level": 300, "level_name": "WARNING"}',
    "info: error: x",
    "error: could not serialize access\n    at Parser.parseErrorMessage (parser.js:1:2)",
    "",
]


@pytest.mark.parametrize("line", ERRORS)
def test_a_line_of_level_error_is_counted(line: str) -> None:
    assert error_lines(f"before\n{line}\nafter\n") == 1


def test_what_only_begins_with_error_counts_where_no_line_has_a_level() -> None:
    stack = "error: could not serialize access\nerror: x\n"
    assert error_lines(stack) == 2
    assert error_lines(f"10:00:00.123 [main] ERROR c.s.Orders - x\n{stack}") == 1
    assert error_lines(f'{{"level": "error", "event": "x"}}\n{stack}') == 1


@pytest.mark.parametrize("line", OTHERS)
def test_a_line_that_only_speaks_of_errors_is_not_counted(line: str) -> None:
    assert error_lines(line) == 0
