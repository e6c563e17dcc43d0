"""Each PostgreSQL of this machine answers an injected error alike, in protocol 3.0 and 3.2.

These are the wheel's two and Debian's; any other is tested where its package is installed.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from brownout.backends.embedded import EmbeddedBackend
from brownout.backends.embedded.installations import of_packagers, of_wheel
from brownout.control import EngineProcess
from brownout.faults import Commit, ServerError, Statement, Step
from brownout.postgres import Postgres
from brownout.reaper import Reaper
from tests.wire.kept import with_kept
from tests.wire.tls.ways import SLEEPS, cancelled

INSTALLED = [*(folder for _, folder in of_wheel()), *of_packagers()]
CODES = ["23505", "40001", "XX000"]
PROTOCOLS = {"3.0": 30000, "3.2": 30002}
LEARNT_3_2 = 180000
"""The version of PostgreSQL that first speaks protocol 3.2; others negotiate it down to 3.0."""

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module", params=INSTALLED, ids=lambda folder: folder.parent.name)
def postgres(
    request: pytest.FixtureRequest, reaper: Reaper, engine: EngineProcess
) -> Iterator[Postgres]:
    """A database of that installation, behind a proxy that follows the protocol."""
    backend = EmbeddedBackend(reaper, binaries=request.param)
    backend.start()
    try:
        with with_kept(backend, engine) as one:
            yield one
    finally:
        backend.stop()


@pytest.fixture(params=PROTOCOLS)
def connection(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[Connection]:
    """A session that has asked for this version of the protocol."""
    asked: str = request.param
    postgres.query("truncate kept")
    with psycopg.connect(
        postgres.dsn, autocommit=True, max_protocol_version=asked, prepare_threshold=None
    ) as session:
        newest = PROTOCOLS[asked] if session.info.server_version >= LEARNT_3_2 else 30000
        assert session.info.full_protocol_version == newest
        yield session
    postgres.heal()


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("step", Step)
def test_a_statement_is_refused(
    step: Step, code: str, connection: Connection, postgres: Postgres
) -> None:
    with postgres.inject(ServerError(code, on=Statement("^insert", at=step))) as injection:
        for parameters in ([1], None) if step is Step.EXECUTE else ([1],):
            sql = "insert into kept values (%s)" if parameters else "insert into kept values (1)"
            with pytest.raises(psycopg.Error) as refusal:
                connection.execute(sql, parameters)
            assert refusal.value.sqlstate == code
    assert injection.felt == (2 if step is Step.EXECUTE else 1)
    connection.execute("insert into kept values (%s)", [2])
    assert postgres.query("select number from kept") == [(2,)]


@pytest.mark.parametrize("code", CODES)
def test_a_commit_is_refused(code: str, connection: Connection, postgres: Postgres) -> None:
    with postgres.inject(ServerError(code, on=Commit())) as injection:
        with pytest.raises(psycopg.Error) as refusal, connection.transaction():
            connection.execute("insert into kept values (1)")
        assert refusal.value.sqlstate == code
    assert injection.felt == 1
    assert postgres.query("select number from kept") == []


def test_a_pipeline_is_refused_as_a_whole(connection: Connection, postgres: Postgres) -> None:
    def insert(*numbers: int) -> None:
        with connection.pipeline():
            for number in numbers:
                connection.execute("insert into kept values (%s)", [number])

    with (
        postgres.inject(ServerError("40001", on=Statement("^insert"), nth=2, times=1)),
        pytest.raises(psycopg.errors.SerializationFailure),
    ):
        insert(1, 2, 3)
    assert postgres.query("select number from kept") == []


def test_copy_is_refused_both_ways(connection: Connection, postgres: Postgres) -> None:
    with postgres.inject(ServerError("40001", on=Statement("^copy"))) as injection:
        for words in ("copy kept from stdin", "copy kept to stdout"):
            with (
                pytest.raises(psycopg.errors.SerializationFailure),
                connection.cursor() as cursor,
                cursor.copy(words),
            ):
                pass
    assert injection.felt == 2
    assert connection.execute("select 1").fetchone() == (1,)


def test_a_session_is_ended(connection: Connection, postgres: Postgres) -> None:
    fault = ServerError("57P01", on=Statement("^select 7"), fatal=True)
    with postgres.inject(fault), pytest.raises(psycopg.errors.AdminShutdown):
        connection.execute("select 7")
    assert connection.closed


def test_a_statement_can_be_cancelled(connection: Connection, postgres: Postgres) -> None:
    with (
        cancelled(connection, postgres.admin.login),
        pytest.raises(psycopg.errors.QueryCanceled),
    ):
        connection.execute(SLEEPS)
    assert connection.execute("select 1").fetchone() == (1,)
