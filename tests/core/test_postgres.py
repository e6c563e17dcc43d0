"""The database under test: the service's way in, ours around it, and what it tells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
import pytest

from brownout import BackendUnavailable, NotAssessable, SettingsError, ms
from brownout.backends.model import Backend
from brownout.control import EngineProcess
from brownout.faults import Fault, Latency, Outage, Restart
from brownout.login import Address, Login, connect
from brownout.postgres import Postgres
from brownout.postgres.admin import admin_connection
from tests.core.clients import Clients, soon

APPLIED = "select count(*) from orders where note = $1"


@pytest.fixture
def another(server: Backend, engine: EngineProcess) -> Iterator[Postgres]:
    """A database of a test's own."""
    made = Postgres(server, engine.client, name=Postgres.new_name())
    made.create()
    yield made
    made.drop()
    engine.client.delete_proxy(made.admin.database)


def test_the_service_owns_its_database_and_is_no_superuser(
    postgres: Postgres, clients: Clients
) -> None:
    login = postgres.login
    [row] = clients.connect().execute(
        "select current_user, current_database(), rolsuper, rolcreaterole, rolcreatedb,"
        " pg_get_userbyid(datdba) from pg_roles, pg_database"
        " where rolname = current_user and datname = current_database()"
    )
    assert row == (login.user, login.database, False, False, False, login.user)


def test_no_two_databases_roles_and_passwords_are_the_same(
    postgres: Postgres, another: Postgres
) -> None:
    mine, other = set(postgres.known.values()), set(another.known.values())
    assert not mine & other
    assert postgres.login.password not in repr(postgres.login)


def test_what_must_not_leak_is_password_names_and_address(postgres: Postgres) -> None:
    login = postgres.login
    assert set(postgres.known.values()) == {
        postgres.dsn,
        login.password,
        login.user,
        login.database,
        str(login.address),
    }
    assert all(login.dsn.count(secret) == 1 for secret in {login.password, str(login.address)})


def test_the_server_s_log_never_sees_the_password(server: Backend, another: Postgres) -> None:
    with Clients(another) as clients:
        clients.connect()
    assert another.login.password not in server.server_log()
    with pytest.raises(psycopg.errors.DuplicateObject):
        another.create()
    assert another.login.password not in server.server_log()
    assert "SCRAM-SHA-256" not in server.server_log()


def test_a_renewed_database_is_as_it_was_when_it_was_kept(
    server: Backend, engine: EngineProcess
) -> None:
    made = Postgres(server, engine.client, name=Postgres.new_name())
    made.create()
    try:
        assert not made.restore_prepared(), "nothing was kept yet"
        made.query("create table a as select 1 as id")
        made.keep_prepared()
        with Clients(made) as clients:
            clients.connect().execute("create table of_a_session (id int)")
            made.query("insert into a values (2)")
            assert made.restore_prepared()
        assert made.query("select id from a") == [(1,)]
        assert made.query("select to_regclass('of_a_session')") == [(None,)]
        assert made.restore_prepared(), "again and again"
    finally:
        made.drop()
        engine.client.delete_proxy(made.admin.database)
    left = server_databases(server)
    assert not [name for name in left if name.startswith(made.admin.database)]


def test_a_crash_of_a_renewed_database_gives_no_number_twice(
    server: Backend, another: Postgres
) -> None:
    """The copy's pages are newer than the last checkpoint, so its sequences would take their next
    32 numbers without a word in the WAL."""
    another.query("create table a (id int generated always as identity primary key)")
    another.query("insert into a default values")
    another.keep_prepared()
    assert another.restore_prepared()
    another.query("insert into a default values")
    server.crash()
    another.query("insert into a default values")
    [ids] = zip(*another.query("select id from a order by id"), strict=True)
    assert ids[:2] == (1, 2)
    assert len(ids) == 3


def server_databases(server: Backend) -> list[str]:
    """Every database of the server."""
    with connect(server.admin().libpq) as connection:
        return [name for (name,) in connection.execute("select datname from pg_database")]


def test_nothing_is_left_of_a_dropped_database_though_somebody_is_connected(
    server: Backend, engine: EngineProcess, postgres: Postgres
) -> None:
    dropped = Postgres(server, engine.client, name=Postgres.new_name())
    dropped.create()
    with Clients(dropped) as clients:
        clients.connect().execute("create table a (id int)")
        dropped.drop()
        dropped.drop()
    engine.client.delete_proxy(dropped.admin.database)
    names = [dropped.admin.database, dropped.admin.role]
    assert (
        postgres.query(
            "select datname from pg_database where datname = any($1)"
            " union all select rolname from pg_roles where rolname = any($1)",
            names,
        )
        == []
    )


def test_a_query_goes_around_the_engine_with_parameters_as_postgresql_writes_them(
    postgres: Postgres, clients: Clients
) -> None:
    clients.connect()
    with postgres.inject(Outage()):
        assert postgres.query("select $1::int + $2::int, '100%'", 1, 2) == [(3, "100%")]
        assert postgres.query("insert into orders values ($1, $2)", 1, "x") == []
    assert postgres.query("select id, note from orders") == [(1, "x")]


def test_the_service_s_sessions_are_seen_with_their_state_and_nobody_else_s(
    postgres: Postgres, clients: Clients
) -> None:
    assert postgres.sessions() == ()
    idle, open_one = clients.connect(), clients.connect()
    idle.execute("select 1")
    open_one.autocommit = False
    open_one.execute("select 1")
    seen = {session.pid: session for session in postgres.sessions()}
    assert seen.keys() == {idle.info.backend_pid, open_one.info.backend_pid}
    assert seen[idle.info.backend_pid].state == "idle"
    assert seen[open_one.info.backend_pid].state == "idle in transaction"
    assert all(session.seconds >= 0 for session in seen.values())


def test_time_outs_that_a_service_gave_its_database_are_not_ours(
    postgres: Postgres, clients: Clients
) -> None:
    database = postgres.admin.database
    connection = clients.connect()
    for setting in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(f"alter database {database} set {setting} = '10ms'")
    try:
        assert postgres.query("select 1 from pg_sleep(0.05)") == [(1,)]
    finally:
        connection.execute(f"alter database {database} reset all")


# -- counting ------------------------------------------------------------------------------------


def test_what_each_token_left_behind_is_counted(postgres: Postgres, clients: Clients) -> None:
    clients.connect().execute("insert into orders values (1, 'a'), (2, 'b'), (3, 'b')")
    assert postgres.count_each(APPLIED, ["a", "b", "c"], of="place") == {"a": 1, "b": 2, "c": 0}
    assert postgres.count_each(APPLIED, [], of="place") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select count(*) from nowhere where a = $1", "fails: relation"),
        ("select count(*) from orders where note = $1 and x = $2", "fails: "),
        ("select note from orders where note = $1", "no whole number"),
        ("select sum(1.5) from orders where note <> $1", "no whole number"),
        ("update orders set note = $1", "fails: "),
    ],
)
def test_sql_that_cannot_count_is_refused_with_the_operation_s_name(
    text: str, said: str, postgres: Postgres, clients: Clients
) -> None:
    clients.connect().execute("insert into orders values (1, 'b')")
    with pytest.raises(SettingsError) as refusal:
        postgres.count_each(text, ["a"], of="place-order")
    assert said in refusal.value.cause
    assert "'place-order'" in refusal.value.cause
    assert refusal.value.tried == (text,)


# -- what cannot be made -------------------------------------------------------------------------


@dataclass
class Poor:
    """A backend that lacks a fault."""

    rich: Backend
    missing_faults: Mapping[str, str]

    def __getattr__(self, name: str) -> object:
        return getattr(self.rich, name)


def test_a_fault_that_the_backend_lacks_is_not_assessable_with_its_reason(
    server: Backend, engine: EngineProcess
) -> None:
    poor = Poor(server, {"Restart": "the server is not ours"})
    postgres = Postgres(poor, engine.client, name=Postgres.new_name())  # type: ignore[arg-type]
    try:
        assert postgres.lacks(Restart()) == "the server is not ours"
        assert postgres.lacks(Outage()) is None
        with pytest.raises(NotAssessable, match="Restart cannot be made here: the server is not"):
            postgres.inject(Restart())
    finally:
        engine.client.delete_proxy(postgres.admin.database)


def test_what_is_no_fault_of_ours_is_refused_with_those_there_are(postgres: Postgres) -> None:
    class Earthquake(Fault):
        pass

    with pytest.raises(SettingsError, match="Earthquake") as refusal:
        postgres.inject(Earthquake())
    assert "BlackHole" in refusal.value.remedy
    with pytest.raises(SettingsError):
        postgres.inject(Latency)  # type: ignore[arg-type]


def test_faults_are_healed_the_latest_first(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    for number in range(3):
        injection = postgres.inject(Latency(ms(1)))
        injection.__enter__()
        heal = injection._maker.heal

        def noting(number: int = number, heal: object = heal) -> None:
            order.append(number)
            heal()  # type: ignore[operator]

        monkeypatch.setattr(injection._maker, "heal", noting)
    monkeypatch.setattr("brownout.postgres.injection._PROOF_TIMEOUT", ms(1))
    postgres.heal()
    assert order == [2, 1, 0]


def test_a_server_that_is_not_there_is_a_matter_of_ours_and_shows_no_password() -> None:
    nowhere = Login(Address("127.0.0.1", 1), "db", "me", "hunter2hunter2")
    with pytest.raises(BackendUnavailable, match=r"127\.0\.0\.1:1 ") as refusal:
        admin_connection(nowhere)
    assert "hunter2" not in str(refusal.value)


def test_backends_that_are_terminated_are_gone_when_that_is_said(
    postgres: Postgres, clients: Clients
) -> None:
    for _ in range(3):
        clients.connect()
    assert postgres.admin.terminate_sessions() == 3
    assert postgres.sessions() == ()
    assert soon(lambda: postgres.admin.terminate_sessions() == 0)
