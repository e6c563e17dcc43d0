"""Wire faults on docker: the engine makes them on the host, in front of Toxiproxy's container."""

import time
from collections.abc import Iterator

import psycopg
import pytest

from brownout import FaultNotFelt, ms
from brownout.backends.docker import DockerBackend
from brownout.control import EngineProcess
from brownout.faults import (
    Commit,
    CommitNeverArrives,
    Latency,
    Loss,
    LostCommitReply,
    RefusedAuthentication,
    ServerError,
    Statement,
)
from brownout.postgres import Postgres
from brownout.reaper import Reaper
from tests.wire.kept import emptied, with_kept

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def database(backend: DockerBackend, reaper: Reaper) -> Iterator[Postgres]:
    with EngineProcess.start(reaper.environment) as engine, with_kept(backend, engine) as one:
        yield one


@pytest.fixture
def postgres(database: Postgres) -> Iterator[Postgres]:
    yield from emptied(database)


@pytest.fixture
def session(postgres: Postgres) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(postgres.dsn, connect_timeout=5) as connection:
        yield connection


def _write(session: psycopg.Connection[tuple[object, ...]], number: int) -> None:
    session.execute("insert into kept values (%s)", [number])
    session.commit()


def _rows(postgres: Postgres) -> list[int]:
    return [number for (number,) in postgres.query("select number from kept order by 1")]


@pytest.mark.parametrize("on", [Statement("insert into kept"), Commit()], ids=repr)
def test_an_error_is_the_servers_own_and_the_session_stays_usable(
    on: Statement | Commit, postgres: Postgres, session: psycopg.Connection[tuple[object, ...]]
) -> None:
    with (
        postgres.inject(ServerError("40001", on=on, times=1)) as injection,
        pytest.raises(psycopg.errors.SerializationFailure),
    ):
        _write(session, 1)
    session.rollback()
    _write(session, 2)

    assert injection.felt == 1
    assert _rows(postgres) == [2]


@pytest.mark.parametrize("loss", [Loss.FIN, Loss.RST])
@pytest.mark.parametrize(("fault", "kept"), [(LostCommitReply, [1]), (CommitNeverArrives, [])])
def test_a_commit_is_lost_on_the_chosen_side_of_the_server(
    fault: type[LostCommitReply | CommitNeverArrives],
    kept: list[int],
    loss: Loss,
    postgres: Postgres,
    session: psycopg.Connection[tuple[object, ...]],
) -> None:
    with postgres.inject(fault(loss=loss)), pytest.raises(psycopg.OperationalError):
        _write(session, 1)
    postgres.admin.terminate_sessions()

    assert _rows(postgres) == kept


def test_new_connections_are_refused_and_open_ones_stay(
    postgres: Postgres, session: psycopg.Connection[tuple[object, ...]]
) -> None:
    with postgres.inject(RefusedAuthentication("53300")):
        with pytest.raises(psycopg.OperationalError, match="FATAL"):
            psycopg.connect(postgres.dsn, connect_timeout=5)
        assert session.execute("select 1").fetchone() == (1,)


def test_a_wire_fault_and_what_toxiproxy_makes_are_felt_together(
    postgres: Postgres, session: psycopg.Connection[tuple[object, ...]]
) -> None:
    begun = time.monotonic()
    with (
        postgres.inject(Latency(ms(300))),
        postgres.inject(ServerError("53100", on=Statement("insert into kept"))),
        pytest.raises(psycopg.errors.DiskFull),
    ):
        _write(session, 1)
    assert time.monotonic() - begun >= 0.3


def test_a_fault_that_hits_nothing_says_so(
    postgres: Postgres, session: psycopg.Connection[tuple[object, ...]]
) -> None:
    with (
        pytest.raises(FaultNotFelt),
        postgres.inject(ServerError("40001", on=Statement("update kept"))),
    ):
        session.execute("select 1")
