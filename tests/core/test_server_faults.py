"""Each fault of the server is in force, is counted right, and gives back exactly what it took."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import errors

from brownout import BackendUnavailable, FaultNotFelt, SettingsError, ms
from brownout.backends.model import Backend
from brownout.faults import (
    ChangedSchema,
    Crash,
    Fault,
    Freeze,
    Latency,
    LockedTables,
    NoFreeSlots,
    Restart,
    RevokedPermission,
    TerminatedBackends,
)
from brownout.postgres import Postgres
from tests.core.clients import Clients, Connection, soon

EACH: list[Fault] = [
    TerminatedBackends(),
    Restart(),
    Crash(),
    NoFreeSlots(),
    LockedTables(),
    RevokedPermission(),
]


def test_a_changed_schema_costs_a_cached_plan_once_and_changes_back(
    postgres: Postgres, clients: Clients
) -> None:
    one = clients.connect()
    one.execute("create table planned (id int, note text, word varchar(7))")
    one.execute("insert into planned values (1, 'a', 'b')")
    columns = (
        "select attname::text, format_type(atttypid, atttypmod) from pg_attribute where attrelid ="
        " 'planned'::regclass and attnum > 0 and not attisdropped order by attnum"
    )
    before = postgres.query(columns)
    one.execute("select note, word from planned", prepare=True)
    with postgres.inject(ChangedSchema(("public.planned",))) as fault:
        with pytest.raises(errors.FeatureNotSupported, match="cached plan"):
            one.execute("select note, word from planned", prepare=True)
        fresh = clients.connect().execute("select note, word from planned", prepare=True)
        assert fresh.fetchall() == [("a", "b")]
        assert fault.felt == 1
        assert [kind for _, kind in postgres.query(columns)] == [
            "integer",
            "character varying",
            "text",
            "integer",
        ]
    assert postgres.query(columns) == before
    one.execute("drop table planned")


def test_a_column_that_a_view_shows_keeps_its_type(postgres: Postgres, clients: Clients) -> None:
    one = clients.connect()
    one.execute("create table viewed (note text)")
    one.execute("create view shown as select note from viewed")
    with (
        contextlib.suppress(FaultNotFelt),
        postgres.inject(ChangedSchema(("public.viewed",))),
    ):
        one.execute("select * from viewed")
        one.execute("select * from shown")
    one.execute("drop view shown")
    one.execute("drop table viewed")


def test_a_change_that_the_server_refuses_to_end_a_deadlock_is_made_all_the_same(
    postgres: Postgres, clients: Clients
) -> None:
    """A change of the type waits for the table that refers to the column, and a transaction that
    holds that one asks for the changed table then."""
    one = clients.connect()
    one.execute("create table referred (word text primary key)")
    one.execute("create table referring (word text references referred)")
    waiting = (
        "select count(*) from pg_stat_activity"
        " where wait_event_type = 'Lock' and query like 'ALTER TABLE%TYPE%'"
    )

    def deadlock() -> None:
        with one.transaction():
            one.execute("select from referring")
            held.set()
            assert soon(lambda: postgres.query(waiting) == [(1,)])
            one.execute("select from referred")

    held = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        transaction = thread.submit(deadlock)
        assert held.wait(10)
        with (
            contextlib.suppress(FaultNotFelt),
            postgres.inject(ChangedSchema(("public.referred",))),
        ):
            transaction.result()
    one.execute("drop table referring, referred")


def name(value: object) -> str:
    return type(value).__name__


def state(postgres: Postgres) -> dict[str, list[tuple[Any, ...]]]:
    """All that a server fault may change, in words that do not depend on how it is stored."""
    with postgres.admin.connect() as connection, psycopg.RawCursor(connection) as cursor:

        def rows(text: str, *parameters: object) -> list[tuple[Any, ...]]:
            return cursor.execute(text, parameters).fetchall()

        return {
            "limit": rows(
                "select rolconnlimit from pg_roles where rolname = $1", postgres.admin.role
            ),
            "privileges": rows(
                "select relname, grantor::regrole::text, grantee::regrole::text, privilege_type,"
                " is_grantable"
                " from pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner)))"
                " where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1, 2, 3, 4"
            ),
            "columns": rows(
                "select attrelid::regclass::text, attname, grantor::regrole::text,"
                " grantee::regrole::text, privilege_type, is_grantable"
                " from pg_attribute join pg_class on pg_class.oid = attrelid, aclexplode(attacl)"
                " where relnamespace = 'public'::regnamespace order by 1, 2, 3, 4, 5"
            ),
            "locks": rows(
                "select mode from pg_locks join pg_class on pg_class.oid = relation"
                " where mode = 'AccessExclusiveLock' and relnamespace = 'public'::regnamespace"
            ),
        }


def waits_for_a_lock(postgres: Postgres, count: int) -> Callable[[], bool]:
    return lambda: (
        postgres.query(
            "select count(*) from pg_stat_activity where usename = $1 and wait_event_type = 'Lock'",
            postgres.admin.role,
        )
        == [(count,)]
    )


def send(connection: Connection, statement: str) -> None:
    """Ask, and do not wait for the answer."""
    connection.pgconn.send_query(statement.encode())
    connection.pgconn.flush()


# -- sessions that end ---------------------------------------------------------------------------


def test_terminated_backends_end_every_session_once_and_new_ones_work_at_once(
    postgres: Postgres, clients: Clients
) -> None:
    first, second = clients.connect(), clients.connect()
    with postgres.inject(TerminatedBackends()) as fault:
        for connection in (first, second):
            with pytest.raises(errors.AdminShutdown):
                connection.execute("select 1")
        clients.connect().execute("select 1")
    assert fault.felt == 2


def test_sessions_that_begin_after_the_termination_are_left_alone(
    postgres: Postgres, clients: Clients
) -> None:
    clients.connect()
    with postgres.inject(TerminatedBackends()):
        later = clients.connect()
        later.execute("select 1")
    later.execute("select 1")


def test_a_restart_ends_every_session_and_keeps_what_was_committed(
    postgres: Postgres, clients: Clients
) -> None:
    connection, other = clients.connect(), clients.connect()
    connection.execute("insert into orders values (1)")
    other.autocommit = False
    other.execute("insert into orders values (2)")
    address = postgres.login.address
    with postgres.inject(Restart()) as fault:
        for one in (connection, other):
            with pytest.raises(psycopg.OperationalError):
                one.execute("select 1")
        assert postgres.login.address == address
        assert clients.connect().execute("select id from orders").fetchall() == [(1,)]
    assert fault.felt == 2


def test_a_crash_ends_every_session_without_a_word_and_keeps_what_was_committed(
    postgres: Postgres, clients: Clients
) -> None:
    connection, other = clients.connect(), clients.connect()
    connection.execute("insert into orders values (1)")
    other.autocommit = False
    other.execute("insert into orders values (2)")
    with postgres.inject(Crash()) as fault:
        for one in (connection, other):
            with pytest.raises(psycopg.OperationalError) as end:
                one.execute("select 1")
            assert end.value.sqlstate is None
        assert clients.connect().execute("select id from orders").fetchall() == [(1,)]
    assert fault.felt == 2
    assert postgres.backend.ended() is None
    assert "all server processes terminated; reinitializing" in postgres.backend.server_log()


# -- a frozen server -----------------------------------------------------------------------------


def test_a_frozen_server_accepts_everything_and_goes_on_at_the_heal(
    postgres: Postgres, clients: Clients
) -> None:
    asking, left, idle = (clients.connect() for _ in range(3))
    with postgres.inject(Freeze()) as fault:
        send(asking, "insert into orders values (1) returning id")
        send(left, "insert into orders values (2)")
        left.close()
        new = clients.dial()
        new.sendall(bytes.fromhex("0000000804d2162f"))  # SSLRequest
        assert soon(lambda: fault.felt >= 2)
        assert new.recv(1) == b"N", "the engine itself answers that"
        asking.pgconn.consume_input()
        assert asking.pgconn.is_busy()
    result = asking.pgconn.get_result()
    assert result is not None
    assert result.get_value(0, 0) == b"1"
    idle.execute("select 1")
    assert soon(lambda: postgres.query("select count(*) from orders") == [(2,)]), (
        "what a client that has left had asked for is carried out as well"
    )


def test_a_frozen_server_goes_on_when_the_block_fails(postgres: Postgres, clients: Clients) -> None:
    connection = clients.connect()

    def block() -> None:
        with postgres.inject(Freeze()):
            send(connection, "select 1")
            raise LookupError

    with pytest.raises(LookupError):
        block()
    assert postgres._in_force == []
    clients.connect().execute("select 1")


def test_a_frozen_server_that_was_asked_nothing_was_not_felt(
    postgres: Postgres, clients: Clients
) -> None:
    clients.connect()
    with pytest.raises(FaultNotFelt), postgres.inject(Freeze()):
        pass
    clients.connect().execute("select 1")


# -- no slots ------------------------------------------------------------------------------------


def test_without_free_slots_open_sessions_end_and_new_ones_get_53300(
    postgres: Postgres, clients: Clients
) -> None:
    before = state(postgres)
    open_one = clients.connect()
    with postgres.inject(NoFreeSlots()) as fault:
        with pytest.raises(errors.AdminShutdown):
            open_one.execute("select 1")
        for _ in range(3):
            with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
                clients.connect()
        assert soon(lambda: fault.felt == 3)
        assert postgres.sessions() == ()
    assert fault.felt == 3
    assert state(postgres) == before
    clients.connect().execute("select 1")


def test_a_limit_that_the_role_had_is_its_limit_again(postgres: Postgres, clients: Clients) -> None:
    postgres.query(f'alter role "{postgres.admin.role}" connection limit 7')
    before = state(postgres)
    try:
        with postgres.inject(NoFreeSlots()), pytest.raises(psycopg.OperationalError):
            clients.connect()
        assert state(postgres) == before
        assert before["limit"] == [(7,)]
    finally:
        postgres.query(f'alter role "{postgres.admin.role}" connection limit -1')


def test_the_end_of_an_inner_lack_of_slots_does_not_end_the_outer_one(
    postgres: Postgres, clients: Clients
) -> None:
    with postgres.inject(NoFreeSlots()):
        with pytest.raises(psycopg.OperationalError), postgres.inject(NoFreeSlots()):
            clients.connect()
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            clients.connect()
    clients.connect().execute("select 1")


# -- locks ---------------------------------------------------------------------------------------


def test_locked_tables_let_every_statement_wait_and_let_go_at_the_heal(
    postgres: Postgres, clients: Clients
) -> None:
    before = state(postgres)
    reader, writer, odd = (clients.connect() for _ in range(3))
    with postgres.inject(LockedTables()) as fault:
        assert len(state(postgres)["locks"]) == 3
        send(reader, "select * from orders")
        send(writer, "insert into stock values ('tea', 1)")
        send(odd, 'select * from "Odd name"')
        assert soon(waits_for_a_lock(postgres, 3))
        assert soon(lambda: fault.felt == 3)
        assert [session.waits for session in postgres.sessions()] == [True, True, True]
    assert state(postgres) == before
    for connection in (reader, writer, odd):
        result = connection.pgconn.get_result()
        assert result is not None
        assert result.error_message == b""
    assert postgres.query("select sku from stock") == [("tea",)]


def test_only_the_tables_that_are_named_are_locked(postgres: Postgres, clients: Clients) -> None:
    connection, other = clients.connect(), clients.connect()
    with postgres.inject(LockedTables(("public.orders", "public.Odd name"))) as fault:
        connection.execute("insert into stock values ('tea', 1)")
        send(other, "insert into orders values (1)")
        assert soon(lambda: fault.felt == 1)


@pytest.mark.usefixtures("impatient")
def test_tables_that_the_service_holds_cannot_be_locked_and_nothing_is_left(
    postgres: Postgres, clients: Clients
) -> None:
    holder = clients.connect()
    holder.autocommit = False
    holder.execute("insert into orders values (1)")
    with (
        pytest.raises(BackendUnavailable, match="a transaction of the service holds them"),
        postgres.inject(LockedTables()),
    ):
        pytest.fail("the block is not entered")
    assert state(postgres)["locks"] == []
    holder.commit()


def test_a_lock_that_a_restart_took_away_is_said_to_be_lost(
    postgres: Postgres, clients: Clients
) -> None:
    clients.connect()
    with (
        pytest.raises(BackendUnavailable, match="ended too early"),
        postgres.inject(LockedTables()),
        postgres.inject(Restart()),
    ):
        pass
    postgres.heal()
    assert state(postgres)["locks"] == []
    clients.connect().execute("select * from orders")


# -- permissions ---------------------------------------------------------------------------------


def test_revoked_permission_refuses_every_statement_and_gives_back_exactly_what_was_there(
    postgres: Postgres, clients: Clients
) -> None:
    before = state(postgres)
    connection = clients.connect()
    statements = [
        "select * from orders",
        "insert into orders values (1)",
        "select * from stock",
        "update stock set quantity = 0",
        'delete from "Odd name"',
    ]
    with postgres.inject(RevokedPermission()) as fault:
        for statement in statements:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)
        connection.execute("select 1")
        assert soon(lambda: fault.felt == len(statements))
    assert fault.felt == len(statements)
    assert state(postgres) == before
    for statement in statements:
        connection.execute(statement)


def test_only_the_tables_that_are_named_are_closed(postgres: Postgres, clients: Clients) -> None:
    connection = clients.connect()
    with postgres.inject(RevokedPermission(("public.Odd name",))) as fault:
        connection.execute("insert into orders values (1)")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute('select * from "Odd name"')
    assert fault.felt == 1


def test_grants_of_others_and_grant_options_come_through(
    postgres: Postgres, clients: Clients
) -> None:
    role = f'"{postgres.admin.role}"'
    other = f"{postgres.admin.database}_other"
    postgres.query(f"create role {other}")
    postgres.query("create table ours (id int, name text)")
    try:
        for grant in (
            f"grant select, insert on ours to {role} with grant option",
            f"grant update on ours to {role}",
            f"grant select on ours to {other}",
            f"grant select (sku), update (sku) on stock to {other}",
            "grant select (sku), update (quantity) on stock to public",
            f"grant select (name) on ours to {role} with grant option",
            "revoke delete on orders from " + role,
        ):
            postgres.query(grant)
        before = state(postgres)
        connection = clients.connect()
        with postgres.inject(RevokedPermission()), pytest.raises(errors.InsufficientPrivilege):
            connection.execute("select * from ours")
        assert state(postgres) == before
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("delete from orders")
    finally:
        postgres.query(f"grant delete on orders to {role}")
        postgres.query("drop table ours")
        postgres.query(f"revoke all (sku, quantity) on stock from {other}, public")
        postgres.query(f"drop role {other}")


def test_a_revocation_that_breaks_off_half_way_gives_back_everything(
    postgres: Postgres, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(postgres)
    revocation = postgres.inject(RevokedPermission())
    change, calls = revocation._maker._change, []  # type: ignore[attr-defined]

    def breaking_off(*arguments: object) -> None:
        change(*arguments)
        calls.append(arguments)
        if len(calls) == 4:
            monkeypatch.undo()
            raise KeyboardInterrupt

    monkeypatch.setattr(revocation._maker, "_change", breaking_off)
    with pytest.raises(KeyboardInterrupt), revocation:
        pytest.fail("the block is not entered")
    assert len(calls) == 4
    assert state(postgres) == before
    clients.connect().execute("select * from orders, stock")


@pytest.mark.usefixtures("impatient")
def test_permissions_of_locked_tables_are_not_waited_for_without_end(
    postgres: Postgres, clients: Clients
) -> None:
    before = state(postgres)
    send(clients.connect(), "select * from orders")
    with postgres.inject(LockedTables()) as lock:
        send(clients.connect(), "select * from orders")
        assert soon(lambda: lock.felt == 1)
        revocation = postgres.inject(RevokedPermission())
        if postgres.query("select current_setting('server_version_num')::int >= 160005") == [
            (True,)
        ]:
            with pytest.raises(BackendUnavailable, match="the table is locked"):
                revocation.__enter__()
    postgres.heal()
    assert state(postgres) == before


# -- for all of them -----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", EACH, ids=name)
def test_a_fault_heals_when_its_block_fails(
    fault: Fault, postgres: Postgres, clients: Clients
) -> None:
    before = state(postgres)
    clients.connect()

    def block() -> None:
        with postgres.inject(fault):
            raise LookupError

    with pytest.raises(LookupError):
        block()
    assert postgres._in_force == []
    assert state(postgres) == before
    clients.connect().execute("select * from orders")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", EACH, ids=name)
def test_a_fault_that_nobody_met_was_not_felt(fault: Fault, postgres: Postgres) -> None:
    before = state(postgres)
    with (
        pytest.raises(FaultNotFelt),
        postgres.inject(fault),
        contextlib.suppress(errors.LockNotAvailable),
    ):
        postgres.query("select * from orders")  # ours goes around, and counts for nothing
    assert state(postgres) == before


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", EACH, ids=name)
async def test_a_fault_works_beside_an_event_loop(
    fault: Fault, postgres: Postgres, clients: Clients
) -> None:
    before = state(postgres)
    connection = clients.connect()

    async def block() -> None:
        async with postgres.inject(fault):
            send(connection, "select * from orders")
            raise LookupError

    with pytest.raises(LookupError):
        await block()
    assert state(postgres) == before


def test_server_and_network_faults_nest(postgres: Postgres, clients: Clients) -> None:
    before = state(postgres)
    connection = clients.connect()
    with (
        postgres.inject(Latency(ms(20))) as slow,
        postgres.inject(RevokedPermission()) as closed,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute("select * from orders")
    assert (slow.felt, closed.felt) == (1, 1)
    assert state(postgres) == before


@pytest.mark.parametrize("kind", [LockedTables, RevokedPermission])
def test_a_table_that_is_not_there_is_answered_with_the_closest_one(
    kind: type[LockedTables] | type[RevokedPermission], postgres: Postgres
) -> None:
    with pytest.raises(SettingsError) as refusal, postgres.inject(kind(("public.order",))):
        pytest.fail("the block is not entered")
    assert refusal.value.remedy == "Did you mean 'public.orders'?"
    assert "public.stock" in refusal.value.tried[0]
    assert postgres._in_force == []


@pytest.mark.parametrize("fault", [LockedTables(), RevokedPermission()], ids=name)
def test_a_database_without_tables_has_none_to_lock_or_close(
    fault: Fault, server: Backend, postgres: Postgres
) -> None:
    empty = Postgres(server, postgres._route.engine, name=Postgres.new_name())
    empty.create()
    try:
        with pytest.raises(SettingsError, match="has no tables"), empty.inject(fault):
            pytest.fail("the block is not entered")
    finally:
        empty.drop()
        postgres._route.engine.delete_proxy(empty.admin.database)
