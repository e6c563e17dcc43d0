"""What tests of the core share: one real PostgreSQL behind one real engine."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from brownout.backends.model import Backend
from brownout.control import EngineProcess
from brownout.postgres import Postgres
from brownout.units import ms
from tests.core.clients import Clients

# Two cores may be busy with other things: how long an example takes says nothing.
settings.register_profile("brownout", deadline=None, max_examples=50)
settings.load_profile("brownout")

SHORT = ms(100)


@pytest.fixture(scope="session")
def database(server: Backend, engine: EngineProcess) -> Iterator[Postgres]:
    """The service's database, with what every test finds in it."""
    postgres = Postgres(server, engine.client, name=Postgres.new_name())
    postgres.create()
    with Clients(postgres) as clients:
        clients.connect().execute(
            "create table orders (id int primary key, note text not null default '');"
            "create table stock (sku text primary key, quantity int not null);"
            'create table "Odd name" (id int);'
            "grant select on stock to public"
        )
    yield postgres
    postgres.drop()


@pytest.fixture
def postgres(database: Postgres) -> Iterator[Postgres]:
    """The same database for each test: nothing in force, nobody connected, no row in it."""
    database.query("truncate orders, stock")
    database.admin.terminate_sessions()
    yield database
    database.heal()
    # A table left here would be one more for the next test's faults.
    left = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in"
    names = {name for (name,) in database.query(f"{left} ('r', 'v')")}
    assert names == {"orders", "stock", "Odd name"}


@pytest.fixture
def clients(postgres: Postgres) -> Iterator[Clients]:
    """Who enters as the service does; closed at the end, before the faults are healed."""
    with Clients(postgres) as opened:
        yield opened


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a proof nor a lock is waited for as long as usual."""
    monkeypatch.setattr("brownout.postgres.injection._PROOF_TIMEOUT", SHORT)
    monkeypatch.setattr("brownout.postgres.admin.LOCK_TIMEOUT", SHORT)
