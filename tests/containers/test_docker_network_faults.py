"""The network's faults on docker: felt where the way is used, and not felt where it is not."""

from collections.abc import Iterator

import psycopg
import pytest

from brownout import FaultNotFelt, ms
from brownout.backends.docker import DockerBackend
from brownout.control import EngineProcess
from brownout.faults import Bandwidth, BlackHole, CutAfter, Fault, Latency, Outage, Reset
from brownout.postgres import Postgres
from brownout.reaper import Reaper
from tests.core.clients import Clients, Connection, soon

pytestmark = pytest.mark.docker

# Each ends an idle connection too, so that one that is open feels it.
ON_IDLE_ONES = [Outage(), Reset()]
ON_USED_ONES = [Latency(ms(20)), Bandwidth(1_000_000), BlackHole(), CutAfter(1)]


def name(fault: Fault) -> str:
    return type(fault).__name__


@pytest.fixture(scope="module")
def database(backend: DockerBackend, reaper: Reaper) -> Iterator[Postgres]:
    with EngineProcess.start(reaper.environment) as engine:
        postgres = Postgres(backend, engine.client, name=Postgres.new_name())
        postgres.create()
        yield postgres
        postgres.drop()


@pytest.fixture
def connection(database: Postgres) -> Iterator[Connection]:
    """One idle connection of the service's role; after the test, nothing is in force."""
    with Clients(database) as clients:
        yield clients.connect()
        database.heal()


@pytest.mark.parametrize("fault", [*ON_IDLE_ONES, *ON_USED_ONES], ids=name)
def test_a_fault_that_meets_a_request_is_felt(
    fault: Fault, database: Postgres, connection: Connection
) -> None:
    with database.inject(fault) as injection:
        if isinstance(fault, BlackHole):  # nothing would end this wait
            connection.pgconn.send_query(b"select 1")
            connection.pgconn.flush()
        elif isinstance(fault, Latency | Bandwidth):
            connection.execute("select 1")
        else:
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
    assert injection.felt >= 1


@pytest.mark.parametrize(
    ("fault", "connections"),
    [*((fault, 1) for fault in ON_USED_ONES), (Reset(), 0), (CutAfter(1), 0)],
    ids=lambda value: name(value) if isinstance(value, Fault) else str(value),
)
def test_a_fault_that_meets_no_request_is_not_felt(
    fault: Fault, connections: int, database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brownout.postgres.injection._PROOF_TIMEOUT", ms(200))
    with Clients(database) as clients:
        for _ in range(connections):
            clients.connect()
        # Those of the test before may still be ending, and would feel it.
        assert soon(
            lambda: database._route.engine.counts(database._route.proxy).open == connections
        )
        with pytest.raises(FaultNotFelt), database.inject(fault):
            pass
