"""A statement's name is the same from run to run, and its pattern finds it whatever its values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.engine.wire.patterns import pattern_of
from brownout.trial.sweep.statements import key_of, name_of, pattern_for, works, writes


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("BEGIN;", "BEGIN"),
        ("start transaction isolation level serializable", "BEGIN"),
        ("COMMIT", "COMMIT"),
        ("end", "COMMIT"),
        ("prepare transaction 'x'", "PREPARE TRANSACTION"),
        ("ROLLBACK TO SAVEPOINT _pg3_1", "ROLLBACK TO"),
        ("savepoint _pg3_1", "SAVEPOINT"),
        ("select 1", "select"),
        ("select place_order($1, $2)", "select place_order"),
        ("SELECT id, name FROM orders WHERE id = $1", "select orders"),
        ('select * from public."Order Lines" where x = 1', "select orderlines"),
        ("select a from (select 1) as one left join orders on true", "select orders"),
        ("select (select max(id) from other) from orders", "select orders"),
        ("INSERT INTO shop.orders (a, b) VALUES ($1, $2) RETURNING id", "insert orders"),
        ("update only orders set a = 1", "update orders"),
        ("delete from orders where id = 1", "delete orders"),
        ("merge into stock using taken on true when matched then delete", "merge stock"),
        ("call settle($1)", "call settle"),
        (
            "WITH taken AS (UPDATE products SET stock = 1 RETURNING *)"
            " INSERT INTO orders SELECT * FROM taken RETURNING id",
            "insert orders",
        ),
        ("with a as (select 1), b as (select 2) select * from b join orders on true", "select b"),
        ('SAVEPOINT "s140234_x7"', "SAVEPOINT"),
        ("DECLARE listed CURSOR WITH HOLD FOR select 1", "DECLARE listed"),
        ('DECLARE "_django_curs_14_sync_2" NO SCROLL CURSOR FOR select 1', "DECLARE"),
        ('FETCH FORWARD 2000 FROM "_django_curs_14_sync_2"', "FETCH forward"),
        ('CLOSE "_django_curs_14_sync_2"', "CLOSE"),
        ("FETCH ALL FROM listed", "FETCH all"),
        ("EXECUTE listed(1)", "EXECUTE listed"),
        ("COPY orders FROM STDIN", "COPY orders"),
        ("/* trace 00-ab-cd */ select * from orders -- the end", "select orders"),
        ("begin; insert into orders values (1); commit", "BEGIN; insert orders; COMMIT"),
        ("", "empty"),
    ],
)
def test_a_statement_s_name_says_what_it_does_to_what(sql: str, name: str) -> None:
    assert name_of(sql) == name
    assert not set(name) & set("/,")


def test_values_comments_and_the_length_of_lists_make_no_difference() -> None:
    one = "select * from orders /* a */ where id in (1, 2, 3) and name = 'it''s' limit $1"
    other = "select *\n from orders where id in (7)  and name = 'x' limit $1"
    assert key_of(one) == key_of(other)
    assert key_of(one) == "select * from orders where id in (?) and name = ? limit $1"
    assert key_of("select a from t") != key_of("select b from t")


@pytest.mark.parametrize(
    "statement",
    [
        'SAVEPOINT "s140234_x{}"',
        "begin; savepoint sa_savepoint_{}",
        'RELEASE SAVEPOINT "s140234_x{}"',
        "release active_record_{}",
        "/* trace */ ROLLBACK TO SAVEPOINT _pg3_{}",
        "rollback work to s{}",
        'DECLARE "c_7f3a_{}" CURSOR WITHOUT HOLD FOR select 1',
        'FETCH FORWARD 2000 FROM "c_7f3a_{}"',
        "fetch next c{}",
        "MOVE 10 IN c{}",
        "CLOSE _django_curs_14_sync_{}",
    ],
)
def test_a_name_that_a_driver_makes_up_is_a_value(statement: str) -> None:
    one, other = statement.format(1), statement.format(22)
    assert key_of(one) == key_of(other)
    assert name_of(one) == name_of(other)
    assert pattern_of(pattern_for(one)).found_in(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FETCH ALL FROM listed", "FETCH ALL FROM counted"),
        ("SAVEPOINT before_stock", "SAVEPOINT before_payment"),
        ("select * from orders1", "select * from orders2"),
        ("insert into orders_2025 values (1)", "insert into orders_2026 values (1)"),
        ("select * from move m1 where m1.col1 = 1", "select * from move m1 where m1.col2 = 1"),
        ('select "close" t1', 'select "close" t2'),
        ("select 'a; savepoint b', c1", "select 'a; savepoint b', c2"),
        ('select "a", t1."b" = 5', 'select "a", t2."b" = 5'),
        ("EXECUTE s1", "EXECUTE s2"),
    ],
)
def test_what_a_service_names_itself_stays_apart(one: str, other: str) -> None:
    assert key_of(one) != key_of(other)
    assert not pattern_of(pattern_for(one)).found_in(other)


def test_a_number_between_quoted_names_is_a_value() -> None:
    assert key_of('select "a" = 5 and "b2" = 6') == 'select "a" = ? and "b2" = ?'


@pytest.mark.parametrize(
    ("sql", "other"),
    [
        ("insert into orders values (1, 'a')", "INSERT  INTO orders\nvalues (22, 'b(')"),
        ("select * from t where a in (1, 2)", "select * from t where a in (3)"),
        ("/* 1 */ select * from t", "/* trace */ select * from t"),
        ("select 'a b' from t where x = $1", "select '' from t where x = $1"),
    ],
)
def test_the_pattern_finds_the_statement_with_other_values(sql: str, other: str) -> None:
    pattern = pattern_of(pattern_for(sql))
    assert pattern.found_in(sql)
    assert pattern.found_in(other)
    assert not pattern.found_in("delete from elsewhere")


def test_a_long_statement_is_found_by_its_beginning() -> None:
    columns = ", ".join(f"column_{number}" for number in range(200))
    sql = f"fetch {columns} from orders"
    pattern = pattern_for(sql)
    assert len(pattern) < len(sql)
    assert pattern_of(pattern).found_in(sql)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("\n\t")))
def test_whatever_a_statement_is_it_has_a_name_and_a_pattern_that_finds_it(sql: str) -> None:
    assert name_of(sql)
    assert pattern_of(pattern_for(sql)).found_in(sql)


@pytest.mark.parametrize(
    ("key", "at_work", "writing"),
    [
        ("BEGIN", False, False),
        ("set local x = ?", False, False),
        ("DISCARD ALL", False, False),
        ("", False, False),
        ("select * from t for update", True, False),
        ("FETCH ALL FROM listed", True, False),
        ("EXECUTE listed", True, False),
        ("insert into t values (?)", True, True),
        ("COPY t FROM STDIN", True, True),
        ("COPY t TO STDOUT", True, False),
        ("COPY (select a from t) TO STDOUT", True, False),
        ("with x as (delete from t returning *) select * from x", True, True),
    ],
)
def test_what_works_and_what_writes(key: str, at_work: bool, writing: bool) -> None:
    assert works(key) is at_work
    assert writes(key) is writing
