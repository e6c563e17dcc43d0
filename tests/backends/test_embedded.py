"""The embedded server: what it promises while it runs, and that it goes without a trace."""

import os
import re
import signal
import socket
import tempfile
import threading
from pathlib import Path

import psutil
import psycopg
import pytest

from brownout.backends.embedded import EmbeddedBackend, server
from brownout.errors import BackendUnavailable
from brownout.postgres.admin import admin_connection
from brownout.reaper import Reaper
from tests.backends.waiting import leftovers, until


def connect(backend: EmbeddedBackend) -> psycopg.Connection:
    return psycopg.connect(backend.admin().dsn, autocommit=True)


def test_it_answers_as_a_superuser_of_its_own(running: EmbeddedBackend) -> None:
    with connect(running) as session:
        row = session.execute(
            "select rolsuper, rolname from pg_roles where rolname = current_user"
        ).fetchone()

    assert row == (True, running.admin().user)


def test_no_other_login_is_left_open(running: EmbeddedBackend) -> None:
    with connect(running) as session:
        rows = session.execute(
            "select rolname from pg_authid where rolcanlogin or rolpassword is not null"
        ).fetchall()

    assert rows == [(running.admin().user,)]


def test_two_starts_share_neither_role_nor_password(
    running: EmbeddedBackend, reaper: Reaper, cache: Path
) -> None:
    other = EmbeddedBackend(reaper, cache=cache)

    assert other._admin.name != running._admin.name
    assert other._admin.password != running._admin.password
    assert running.admin().password not in repr(running.admin())


def test_a_password_is_asked_for(running: EmbeddedBackend) -> None:
    login = running.admin()

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(login.dsn.replace(login.password, "wrong"))


def test_it_listens_on_loopback_alone(running: EmbeddedBackend) -> None:
    with connect(running) as session:
        where = session.execute(
            "select current_setting('listen_addresses'), current_setting('unix_socket_directories')"
        ).fetchone()

    assert where == ("127.0.0.1", "")
    assert running.upstream() == running.admin().address
    assert running.hop() is None


def test_its_log_begins_each_line_with_the_sqlstate(running: EmbeddedBackend) -> None:
    with connect(running) as session, pytest.raises(psycopg.errors.DivisionByZero):
        session.execute("select 1 / 0 as secret_statement")

    log = running.server_log()
    assert re.search(r"^22012 \[\d+\] ERROR:  division by zero$", log, re.MULTILINE)
    assert "secret_statement" not in log


def test_a_restart_keeps_port_and_committed_rows(running: EmbeddedBackend) -> None:
    before = running.upstream()
    with connect(running) as session:
        session.execute("create table kept (n int)")
    # Several times, right after the commit: one that only the server's memory held would be lost.
    for n in range(5):
        with connect(running) as session:
            session.execute("insert into kept values (%s)", (n,))
            running.restart()

    with connect(running) as session:
        assert session.execute("select count(*) from kept").fetchone() == (5,)
    assert running.upstream() == before


def test_a_restart_ends_open_connections(running: EmbeddedBackend) -> None:
    with connect(running) as session:
        running.restart()

        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")


def test_a_restart_succeeds_while_a_server_process_is_frozen(running: EmbeddedBackend) -> None:
    with connect(running) as session:
        os.kill(session.info.backend_pid, signal.SIGSTOP)
        running.restart()

    with connect(running) as session:
        assert session.execute("select 1").fetchone() == (1,)


def test_a_crash_ends_every_session_and_keeps_port_and_committed_rows(
    running: EmbeddedBackend,
) -> None:
    before = running.upstream()
    with connect(running) as session:
        session.execute("create table survived (n int)")
    for n in range(3):
        with connect(running) as session:
            session.execute("insert into survived values (%s)", (n,))
            running.crash()
            with pytest.raises(psycopg.OperationalError):
                session.execute("select 1")

    with connect(running) as session:
        assert session.execute("select count(*) from survived").fetchone() == (3,)
    assert running.upstream() == before
    assert running.ended() is None


def test_a_frozen_server_answers_nothing_until_it_thaws(running: EmbeddedBackend) -> None:
    with connect(running) as session:
        running.freeze()
        session.pgconn.send_query(b"select 1")
        session.pgconn.flush()
        with pytest.raises(psycopg.OperationalError, match="timeout"):
            psycopg.connect(running.admin().dsn, connect_timeout=1)
        session.pgconn.consume_input()
        assert session.pgconn.is_busy()
        assert running.ended() is None, "it is stopped, and has not ended"
        running.thaw()
        assert session.pgconn.get_result() is not None
        assert session.pgconn.get_result() is None, "that was all of it"


def test_a_frozen_server_can_be_stopped(backend: EmbeddedBackend) -> None:
    backend.freeze()
    backend.stop()

    left = leftovers(backend._reaper.run)
    assert [what for what in left if "reaper/__main__.py" not in what] == []


def test_a_server_that_was_killed_can_be_restarted(backend: EmbeddedBackend) -> None:
    assert backend._server is not None
    backend._server.kill()
    backend.restart()

    with connect(backend) as session:
        assert session.execute("select 1").fetchone() == (1,)


def test_a_taken_port_is_given_up_for_another(
    reaper: Reaper, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        taken = somebody.getsockname()[1]
        free = server._free_port
        ports = iter([taken, taken])
        monkeypatch.setattr(server, "_free_port", lambda: next(ports, None) or free())
        backend = EmbeddedBackend(reaper, cache=cache)
        backend.start()

    assert backend.upstream().port != taken
    backend.stop()


def test_another_server_on_the_port_is_not_taken_for_ours(
    running: EmbeddedBackend, reaper: Reaper, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It might even know our login: both clusters are copies of one."""
    other = EmbeddedBackend(reaper, cache=cache)
    ports = iter([running.upstream().port])
    free = server._free_port
    monkeypatch.setattr(server, "_free_port", lambda: next(ports, None) or free())
    other.start()

    assert other.upstream() != running.upstream()
    other.stop()


def test_a_restart_waits_for_its_port(
    running: EmbeddedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody = socket.socket()
    somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    quit_server = server.PostgresServer.quit

    def quit_and_lose_the_port(self: server.PostgresServer) -> None:
        quit_server(self)
        somebody.bind(("127.0.0.1", self.port))
        somebody.listen()

    def let_go() -> None:
        until(lambda: "Address already in use" in running.server_log())
        somebody.close()

    monkeypatch.setattr(server.PostgresServer, "quit", quit_and_lose_the_port)
    thread = threading.Thread(target=let_go)
    thread.start()
    running.restart()
    thread.join()
    monkeypatch.undo()

    with connect(running) as session:
        assert session.execute("select 1").fetchone() == (1,)


def test_a_server_that_does_not_start_is_told_with_its_log(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(server._SETTINGS, "shared_buffers", "nonsense")

    with Reaper.start() as reaper:
        with pytest.raises(BackendUnavailable) as raised:
            EmbeddedBackend(reaper, cache=cache).start()
        left = [what for what in leftovers(reaper.run) if "reaper/__main__.py" not in what]

    assert "nonsense" in str(raised.value)
    assert "instead of starting" in raised.value.cause
    assert left == []


def test_the_users_postgres_variables_are_not_heeded(
    reaper: Reaper, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGSSLMODE": "require",
        "PGSSLROOTCERT": "system",
        "PGHOSTADDR": "127.0.0.2",
        "PGOPTIONS": "-c nonsense=1",
        "PGCHANNELBINDING": "require",
        "PGDATA": "/nowhere",
        "PGPORT": "1",
    }.items():
        monkeypatch.setenv(name, value)
    backend = EmbeddedBackend(reaper, cache=cache)
    backend.start()
    admin_connection(backend.admin()).close()
    backend.stop()


def test_stop_leaves_nothing_and_may_be_called_twice(backend: EmbeddedBackend, cache: Path) -> None:
    assert backend._folder is not None
    assert backend._folder.exists()
    backend.stop()
    backend.stop()

    left = leftovers(backend._reaper.run, cache)
    assert [what for what in left if "reaper/__main__.py" not in what] == []
    with pytest.raises(BackendUnavailable, match="not been started"):
        backend.admin()


def test_every_process_of_the_server_is_found_by_the_reaper(running: EmbeddedBackend) -> None:
    """The mark is on the postmaster, which its children die with."""
    assert running._server is not None
    assert running._server.process is not None
    postmaster = psutil.Process(running._server.process.pid)

    assert postmaster.environ()["BROWNOUT_RUN"] == running._reaper.run


def test_the_first_place_with_room_is_taken(
    reaper: Reaper, cache: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory, where it has room: a folder stands in for it, since a machine's may have none."""
    from brownout.backends.embedded import backend as module

    assert Path("/dev/shm") == module._MEMORY  # noqa: S108
    monkeypatch.setattr(module, "_MEMORY", scratch)
    backend = EmbeddedBackend(reaper, cache=cache)
    backend.start()

    assert backend._folder is not None
    assert backend._folder.parent == scratch
    backend.stop()


def test_where_memory_is_short_the_data_goes_to_a_disk(
    reaper: Reaper, cache: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brownout.backends.embedded import backend as module

    monkeypatch.setattr(module, "_MEMORY", scratch / "missing")
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    backend = EmbeddedBackend(reaper, cache=cache)
    backend.start()

    assert backend._folder is not None
    assert backend._folder.parent == scratch
    backend.stop()


def test_no_room_anywhere_is_told(
    reaper: Reaper, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brownout.backends.embedded import backend as module

    monkeypatch.setattr(module, "_ROOM", 2**80)

    with pytest.raises(BackendUnavailable, match="No folder can hold") as raised:
        EmbeddedBackend(reaper, cache=cache).start()

    assert "TMPDIR" in raised.value.remedy
