"""The backend of a proxy that runs already: what it refuses, holds and gives back."""

from collections.abc import Iterator

import pytest

from brownout import BackendUnavailable, NotAssessable, SettingsError, ms
from brownout.backends.remote import RemoteBackend, look
from brownout.backends.remote.lacking import LACKING_PROMISES, LACKING_TRIALS
from brownout.behaviours import CATALOGUE
from brownout.chaos import CHAOS
from brownout.control import EngineClient, EngineProcess
from brownout.engine.wire.actions import Stall
from brownout.engine.wire.rules import Rule
from brownout.engine.wire.when import When
from brownout.faults import (
    ESTABLISHED,
    BlackHole,
    Commit,
    Latency,
    LockedTables,
    Outage,
    Reset,
    ServerError,
    StalledAt,
    Statement,
)
from brownout.login import Address
from brownout.postgres import Postgres
from brownout.reaper import Reaper
from brownout.settings.remote import RemoteProxy
from brownout.trial import Trial, plan
from tests.backends.waiting import until
from tests.engine.foreground import free_port


def trials_of(value: object) -> tuple[Trial, ...]:
    """The trials behind a name of the plan, which stands for one or several."""
    return (value,) if isinstance(value, Trial) else tuple(value)  # type: ignore[arg-type]


PLAN = [trial for name in plan.__all__ for trial in trials_of(getattr(plan, name))]

MADE = {
    "fallback", "flapping", "held_open", "hurried", "long_outage", "mistakes",
    "silent_connections", "slow_statements", "steady", "switchover",
}  # fmt: skip
"""The trials with a script that are made at a proxy elsewhere."""


@pytest.fixture
def elsewhere(engine: EngineProcess) -> Iterator[RemoteProxy]:
    """A proxy that was made by others, before a port where nothing listens."""
    engine.client.create_proxy("orders", "127.0.0.1:1", protocol="postgresql")
    host, _, port = engine.address.rpartition(":")
    yield RemoteProxy(Address(host, int(port)), "orders")
    engine.client.delete_proxy("orders")


@pytest.fixture
def backend(elsewhere: RemoteProxy, reaper: Reaper) -> Iterator[RemoteBackend]:
    backend = RemoteBackend(reaper, elsewhere)
    backend.start()
    yield backend
    backend.stop()
    backend.stop()


@pytest.fixture
def database(backend: RemoteBackend) -> Postgres:
    return Postgres(backend, None, name=Postgres.new_name())


@pytest.mark.parametrize(
    "fault",
    [
        Latency(ms(10)),
        BlackHole(scope=ESTABLISHED),
        Outage(),
        Reset(),
        StalledAt(Statement("select")),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_is_made_ends_with_the_lease(
    engine: EngineProcess, backend: RemoteBackend, database: Postgres, fault: object
) -> None:
    """Without any call that heals."""
    database.inject(fault).__enter__()  # type: ignore[arg-type]
    record = engine.client.proxy("orders")
    broken = not record.enabled or record.toxics or engine.client.wire.rules("orders")
    assert broken
    backend.stop()
    record = engine.client.proxy("orders")
    assert record.enabled
    assert not record.toxics
    assert not engine.client.wire.rules("orders")


def test_a_second_run_is_refused_while_the_first_has_the_proxy(
    elsewhere: RemoteProxy, backend: RemoteBackend, reaper: Reaper
) -> None:
    second = RemoteBackend(reaper, elsewhere)
    with pytest.raises(BackendUnavailable, match="grants no lease") as refused:
        second.start()
    assert "Let the run that has the lease end" in refused.value.remedy
    backend.stop()
    second.start()
    second.stop()


def test_a_lease_that_has_ended_is_noticed_and_got_back(
    elsewhere: RemoteProxy, backend: RemoteBackend
) -> None:
    assert backend.ended() is None
    EngineClient(elsewhere.api).end_lease("brownout orders")
    assert until(lambda: backend.ended() is not None)
    assert "has ended, and every fault with it" in (backend.ended() or "")
    backend.restart()
    assert backend.ended() is None


@pytest.mark.parametrize("broken", ["disabled", "toxic", "rule"])
def test_a_proxy_that_is_broken_already_is_refused(
    engine: EngineProcess, elsewhere: RemoteProxy, broken: str
) -> None:
    seen = {"disabled": "it is disabled", "toxic": "the toxic slow", "rule": "1 wire rule"}
    if broken == "disabled":
        engine.client.set_enabled("orders", False)
    elif broken == "toxic":
        engine.client.add_toxic("orders", "latency", {"latency": 1}, name="slow")
    else:
        engine.client.wire.add_rule("orders", Rule(When(("Query",)), Stall(), "held"))
    with pytest.raises(BackendUnavailable, match="before this run has broken anything") as refused:
        look(elsewhere)
    assert seen[broken] in refused.value.tried[0]


def test_a_proxy_that_is_not_there_is_answered_with_the_closest_name(
    elsewhere: RemoteProxy,
) -> None:
    with pytest.raises(BackendUnavailable, match="There is no proxy 'order' at") as refused:
        look(RemoteProxy(elsewhere.api, "order"))
    assert refused.value.remedy == "Did you mean 'orders'?"


def test_an_api_that_does_not_answer_is_told(reaper: Reaper) -> None:
    nowhere = RemoteProxy(Address("127.0.0.1", free_port()), "orders")
    with pytest.raises(BackendUnavailable, match=r"orders cannot be used: .* does not answer"):
        RemoteBackend(reaper, nowhere).start()


def test_what_needs_the_server_or_a_login_is_not_assessed(database: Postgres) -> None:
    assert database.lacks(Latency(ms(1))) is None
    assert database.lacks(ServerError("40001", on=Commit())) is None
    assert "no login" in (database.lacks(LockedTables()) or "")
    for need in (database.sessions, lambda: database.query("select 1")):
        with pytest.raises(NotAssessable, match="no login to the service's database"):
            need()
    with pytest.raises(NotAssessable, match="The trial overload is not made here"):
        database.require_trial("overload")


def test_without_consent_no_trial_may_write_by_mistake(
    elsewhere: RemoteProxy, backend: RemoteBackend, reaper: Reaper
) -> None:
    assert "mistakes" in backend.missing_trials
    backend.stop()
    allowed = RemoteBackend(reaper, elsewhere, allow_writes=True)
    allowed.start()
    assert "mistakes" not in allowed.missing_trials
    allowed.stop()


def test_a_proxy_that_does_not_follow_the_protocol_makes_no_wire_fault(
    engine: EngineProcess, elsewhere: RemoteProxy, reaper: Reaper
) -> None:
    engine.client.create_proxy("plain", "127.0.0.1:1")
    backend = RemoteBackend(reaper, RemoteProxy(elsewhere.api, "plain"))
    backend.start()
    try:
        assert "ServerError" in backend.missing_faults
        assert "Latency" not in backend.missing_faults
        assert "switchover" in backend.missing_trials
        assert "silent_connections" not in backend.missing_trials
    finally:
        backend.stop()
        engine.client.delete_proxy("plain")


def test_a_toxiproxy_makes_network_faults_on_all_connections_only(
    toxiproxy_elsewhere: str,
) -> None:
    host, _, port = toxiproxy_elsewhere.rpartition(":")
    place = RemoteProxy(Address(host, int(port)), "orders")
    client = EngineClient(place.api)
    client.create_proxy("orders", "127.0.0.1:1")
    with Reaper.start() as own:
        with pytest.raises(SettingsError, match="is a Toxiproxy, which has no leases"):
            RemoteBackend(own, place).start()
        backend = RemoteBackend(own, place, allow_unleased=True)
        backend.start()
        database = Postgres(backend, None, name=Postgres.new_name())
        assert database.lacks(BlackHole()) is None
        scoped = database.lacks(BlackHole(scope=ESTABLISHED))
        assert "does not tell old connections" in (scoped or "")
        error = database.lacks(ServerError("40001", on=Commit()))
        assert "does not follow PostgreSQL's protocol" in (error or "")
        with pytest.raises(NotAssessable, match="does not count"):
            database.opened()
        database.inject(Latency(ms(1))).__enter__()
        assert len(client.proxy("orders").toxics) == 1
        client.add_toxic("orders", "latency", {"latency": 1}, name="of another person")
        backend.stop()
    # The reaper, which is closed by now, removes what is the run's, and nothing else.
    assert [toxic.name for toxic in client.proxy("orders").toxics] == ["of another person"]
    client.delete_proxy("orders")


def test_of_every_trial_it_is_decided_whether_it_is_made_elsewhere() -> None:
    ids = {trial.id for trial in (*PLAN, *CHAOS)}
    assert LACKING_TRIALS.keys() <= ids
    scripted = {trial.id for trial in (*PLAN, *CHAOS) if trial.script is not None}
    assert scripted - LACKING_TRIALS.keys() == MADE
    compared = {trial.id for trial in PLAN if trial.alone}
    assert compared <= LACKING_TRIALS.keys()
    assert LACKING_PROMISES.keys() <= CATALOGUE.keys()
