"""A server that somebody else runs: errors that help and never show the password."""

import secrets
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from brownout.backends.embedded import EmbeddedBackend, server
from brownout.backends.external import ExternalBackend
from brownout.errors import BackendUnavailable, BrownoutError, SettingsError
from brownout.login import Address, Login, Tls
from brownout.reaper import Reaper
from tests.backends.waiting import until
from tests.frame.gates import Gate
from tests.frame.whole_runs import suites


@pytest.fixture(scope="module")
def superuser(running: EmbeddedBackend) -> Login:
    return running.admin()


def exists(admin: Login, name: str) -> bool:
    with psycopg.connect(admin.dsn) as session:
        row = session.execute(
            "select exists(select from pg_database where datname = %(name)s)"
            " or exists(select from pg_roles where rolname = %(name)s)",
            {"name": name},
        ).fetchone()
    return row == (True,)


def create(admin: Login, name: str) -> None:
    with psycopg.connect(admin.dsn, autocommit=True) as session:
        session.execute(f"create role {name} login")
        session.execute(f"grant {name} to current_user")
        session.execute(f"create database {name} owner {name}")


@pytest.fixture(scope="module")
def ordinary(superuser: Login) -> Login:
    """The login of somebody who may make databases and roles, and nothing else."""
    with psycopg.connect(superuser.dsn, autocommit=True) as session:
        session.execute("create role ordinary login createdb createrole password 'not-its-name'")
    return replace(superuser, user="ordinary", password="not-its-name")  # noqa: S106


def test_it_enters_with_the_urls_login(superuser: Login, reaper: Reaper) -> None:
    backend = ExternalBackend(reaper, superuser.dsn)
    backend.start()

    assert backend.admin() == superuser
    assert backend.upstream() == superuser.address
    assert backend.server_log() == ""
    assert backend.hop() is None
    backend.stop()
    backend.stop()


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("postgresql://u:p@localhost/d", Tls("require")),
        ("postgresql://u:p@localhost/d?sslmode=disable", None),
        ("postgresql://u:p@localhost/d?sslmode=verify-full", Tls("verify-full")),
    ],
)
def test_where_the_url_is_silent_libpqs_variable_asks_for_tls(
    reaper: Reaper, monkeypatch: pytest.MonkeyPatch, url: str, tls: Tls | None
) -> None:
    monkeypatch.setenv("PGSSLMODE", "require")
    assert ExternalBackend(reaper, url).admin().tls == tls


def test_what_only_the_servers_log_or_its_owner_could_prove_is_missing_with_its_reason(
    reaper: Reaper,
) -> None:
    backend = ExternalBackend(reaper, "postgresql://u:p@localhost/d")
    assert set(backend.missing_faults) == {
        "ChangedSchema",
        "Crash",
        "Freeze",
        "NoFreeSlots",
        "Restart",
        "RevokedPermission",
    }
    assert all(backend.missing_faults.values())


def test_it_is_not_restarted_crashed_or_frozen(reaper: Reaper) -> None:
    backend = ExternalBackend(reaper, "postgresql://u:p@localhost/d")
    for deed in ("restart", "crash", "freeze"):
        with pytest.raises(BackendUnavailable, match=f"does not {deed}"):
            getattr(backend, deed)()
    backend.thaw()


@pytest.mark.parametrize(
    "change",
    [
        {"password": "wrong/hunter2"},
        {"user": "nobody_here"},
        {"database": "no_such_database"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_login_that_does_not_work_is_told_without_the_password(
    change: dict[str, str], superuser: Login, reaper: Reaper
) -> None:
    login = replace(superuser, **change)  # type: ignore[arg-type]

    with pytest.raises(BackendUnavailable, match="Cannot connect to the") as raised:
        ExternalBackend(reaper, login.dsn).start()

    said = str(raised.value) + repr(raised.value)
    assert login.user in said
    assert login.password not in said
    assert quote(login.password, safe="") not in said


def test_nobody_listening_is_told(reaper: Reaper) -> None:
    url = f"postgresql://me:hunter2@127.0.0.1:{server._free_port()}/db"

    with pytest.raises(BackendUnavailable, match="Cannot connect to the") as raised:
        ExternalBackend(reaper, url).start()

    assert "hunter2" not in str(raised.value)
    assert "refused" in str(raised.value)


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("mysql://u:hunter2@h/d", "is not a PostgreSQL URL"),
        ("host=h password=hunter2", "is not a PostgreSQL URL"),
        ("postgresql://u:hunter2@h:5432:1/d", "one TCP host|cannot be parsed"),
        ("postgresql://u:hunter2%@h/d", "cannot be parsed"),
        ("postgresql://u:hunter2@h1,h2/d", "one TCP host"),
        ("postgresql://u:hunter2@%2Ftmp/d", "one TCP host"),
        ("postgresql://u:hunter2@[::1]:5432/d", "one TCP host"),
        ("postgresql://u:hunter2@h:99999/d", "one TCP host"),
        ("postgresql://u:hunter2@h/d?sslcert=a", "unsupported parameters: sslcert"),
        ("postgresql://u:hunter2@h/d?sslmode=prefer", "asks for sslmode=prefer"),
        ("postgresql://u:hunter2@h/d?sslmode=require&sslrootcert=a", "no sslmode that uses it"),
        ("postgresql://u:hunter2@h/d?sslmode=verify-full&sslrootcert=/no/ca", "does not exist"),
        ("postgresql://h/d", "has no user"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_the_password(
    url: str, cause: str, reaper: Reaper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGUSER", raising=False)
    with pytest.raises(SettingsError, match=cause) as raised:
        ExternalBackend(reaper, url)

    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.remedy


def test_a_login_that_may_make_nothing_is_told(superuser: Login, reaper: Reaper) -> None:
    with psycopg.connect(superuser.dsn, autocommit=True) as session:
        session.execute("create role humble login password 'humble'")
    login = replace(superuser, user="humble", password="humble")  # noqa: S106

    with pytest.raises(BackendUnavailable, match="may not create databases and roles") as raised:
        ExternalBackend(reaper, login.dsn).start()

    assert "CREATEDB CREATEROLE" in raised.value.remedy


def test_a_login_that_may_make_databases_and_roles_is_enough(
    ordinary: Login, reaper: Reaper
) -> None:
    ExternalBackend(reaper, ordinary.dsn).start()


def test_what_an_ordinary_login_made_is_dropped_by_it(ordinary: Login) -> None:
    with Reaper.start() as reaper:
        reaper.drop(ordinary, "brownout_o", "brownout_o")
        create(ordinary, "brownout_o")

    assert not exists(ordinary, "brownout_o")


def test_what_was_promised_is_dropped_with_its_connections(
    superuser: Login,
) -> None:
    with Reaper.start() as reaper:
        reaper.drop(superuser, "brownout_a", "brownout_a")
        create(superuser, "brownout_a")
        inside = psycopg.connect(replace(superuser, database="brownout_a").dsn)

    assert not exists(superuser, "brownout_a")
    with pytest.raises(psycopg.OperationalError):
        inside.execute("select 1")
    inside.close()


def test_a_promise_that_was_kept_by_the_owner_is_no_failure(superuser: Login) -> None:
    with Reaper.start() as reaper:
        reaper.drop(superuser, "brownout_b", "brownout_b")


def test_a_server_that_is_gone_is_told_without_the_password() -> None:
    nowhere = Login(Address("127.0.0.1", server._free_port()), "db", "me", "hunter2")
    reaper = Reaper.start()
    reaper.drop(nowhere, "brownout_c", "brownout_c")

    with pytest.raises(BrownoutError, match="could not be removed") as raised:
        reaper.close()

    assert "hunter2" not in str(raised.value)


def test_nothing_is_left_of_an_owner_killed_while_it_makes_a_database(superuser: Login) -> None:
    name = f"brownout_{secrets.token_hex(4)}"
    script = f"""
import psycopg
from brownout.login import Address, Login
from brownout.reaper import Reaper
admin = Login(Address({superuser.address.host!r}, {superuser.address.port}), {superuser.database!r},
              {superuser.user!r}, input())
reaper = Reaper.start()
reaper.drop(admin, {name!r}, {name!r})
session = psycopg.connect(admin.dsn, autocommit=True)
session.execute("create role {name} login")
print("role", flush=True)
session.execute("create database {name} owner {name} strategy wal_log")
"""
    owner = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    owner.stdin.write(superuser.password + "\n")
    owner.stdin.flush()
    assert owner.stdout.readline() == "role\n"
    owner.kill()
    owner.communicate()

    assert until(lambda: not exists(superuser, name))


def test_the_suites_judge_on_somebody_s_server_and_leave_it_as_it_was(ordinary: Login) -> None:
    """The whole chain: `pytest suites` as a user who may make databases and roles only."""
    before = belongings(ordinary)
    code, said, left = suites(BROWNOUT_POSTGRES=ordinary.dsn)
    assert code == 0, said
    assert "3 kept, 0 broken, 0 unknown, 0 not assessed" in said
    assert ordinary.password not in said
    assert left == []
    assert belongings(ordinary) == before


def test_a_running_server_ends_sessions_and_locks_tables_for_an_ordinary_login(
    ordinary: Login, tmp_path: Path
) -> None:
    words = [f"--postgres={ordinary.dsn}", "--service=tests.trial.declared:sound", "--replicas=1"]
    only = "--only=V2/terminated_backends,V2/locked_tables,V2/no_free_slots"
    with Gate(tmp_path, *words, only) as gate:
        code, said = gate.end()
        verdicts = [
            verdict for one in gate.document()["tests"] for verdict in one["verdicts"].values()
        ]
    assert code == 0, said
    assert sorted(verdicts) == ["kept", "kept", "not assessed"], said


def belongings(login: Login) -> set[str]:
    """The names of the server's databases and roles."""
    with psycopg.connect(login.dsn) as session:
        rows = session.execute("select datname from pg_database union select rolname from pg_roles")
        return {str(name) for (name,) in rows.fetchall()}
