"""The backend `docker` as a running whole."""

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import replace

import docker
import psycopg
import pytest

from brownout.backends.docker import DockerBackend
from brownout.backends.docker.daemon import Daemon
from brownout.control.client import ToxiproxyClient
from brownout.errors import BackendUnavailable
from brownout.login import Address, Login
from brownout.reaper import Reaper
from tests.containers.belongings import Belongings

pytestmark = pytest.mark.docker


def enter(login: Login) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(login.dsn, sslmode="disable", connect_timeout=5, autocommit=True)


def through_toxiproxy(backend: DockerBackend) -> Login:
    return replace(backend.admin(), address=backend.upstream())


def seconds_for_a_query(login: Login) -> float:
    """The shortest of five, so that a busy machine does not look like a slow network."""
    with enter(login) as session:
        taken = []
        for _ in range(5):
            began = time.monotonic()
            session.execute("select 1")
            taken.append(time.monotonic() - began)
        return min(taken)


@pytest.fixture
def toxiproxy(backend: DockerBackend) -> Iterator[ToxiproxyClient]:
    hop = backend.hop()
    assert hop is not None
    client = ToxiproxyClient(hop.api)
    yield client
    client.reset()


@pytest.fixture
def proxy(backend: DockerBackend) -> str:
    hop = backend.hop()
    assert hop is not None
    return hop.proxy


def test_upstream_leads_to_postgresql(backend: DockerBackend) -> None:
    with enter(through_toxiproxy(backend)) as session:
        assert session.execute("select current_user::text").fetchone() == (backend.admin().user,)


def test_toxiproxy_stands_on_the_way_of_upstream_and_not_of_admin(
    backend: DockerBackend, toxiproxy: ToxiproxyClient, proxy: str
) -> None:
    toxiproxy.set_enabled(proxy, enabled=False)

    with pytest.raises(psycopg.OperationalError):
        enter(through_toxiproxy(backend))
    with enter(backend.admin()) as session:
        assert session.execute("select 1").fetchone() == (1,)


def test_a_latency_toxic_is_felt(
    backend: DockerBackend, toxiproxy: ToxiproxyClient, proxy: str
) -> None:
    toxiproxy.add_toxic(proxy, "latency", {"latency": 300}, name="slow")
    slow = seconds_for_a_query(through_toxiproxy(backend))
    toxiproxy.remove_toxic(proxy, "slow")
    healed = seconds_for_a_query(through_toxiproxy(backend))

    assert slow >= 0.3
    assert healed < 0.3


def test_admin_may_make_roles_and_databases(backend: DockerBackend) -> None:
    with enter(backend.admin()) as session:
        session.execute("create role tenant login")
        session.execute("create database tenancy owner tenant")
        session.execute("drop database tenancy")
        session.execute("drop role tenant")


def test_a_wrong_password_is_refused_and_shows_in_the_log(backend: DockerBackend) -> None:
    refusals = re.compile(r"^28P01 \[\d+\] FATAL", re.MULTILINE)
    before = len(refusals.findall(backend.server_log()))

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        enter(replace(backend.admin(), password="wrong"))  # noqa: S106

    assert len(refusals.findall(backend.server_log())) == before + 1


def test_every_line_of_the_log_is_the_servers(backend: DockerBackend) -> None:
    with enter(backend.admin()) as session, contextlib.suppress(psycopg.errors.UndefinedColumn):
        session.execute("select no_such_column")

    lines = backend.server_log().splitlines()

    assert any(line.startswith("42703 [") for line in lines)
    assert all(re.match(r"[0-9A-Z]{5} \[\d+\] |\t", line) for line in lines)
    assert not any("no_such_column" in line for line in lines if "STATEMENT" in line)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("fsync", "off"), ("synchronous_commit", "on"), ("max_connections", "100")],
)
def test_the_server_is_set_up_as_on_the_other_backends(
    backend: DockerBackend, setting: str, value: str
) -> None:
    with enter(backend.admin()) as session:
        row = session.execute("select current_setting(%s)", [setting]).fetchone()

    assert row == (value,)


def test_a_restart_ends_sessions_keeps_data_and_is_followed(backend: DockerBackend) -> None:
    upstream = backend.upstream()
    with enter(backend.admin()) as session:
        session.execute("create table kept as select 42 as answer")
    waiting = enter(through_toxiproxy(backend))

    backend.restart()

    with pytest.raises(psycopg.OperationalError), waiting:
        waiting.execute("select 1")
    assert backend.upstream() == upstream
    for login in (backend.admin(), through_toxiproxy(backend)):
        with enter(login) as session:
            assert session.execute("select answer from kept").fetchone() == (42,)


def test_a_crash_ends_sessions_and_keeps_data(backend: DockerBackend) -> None:
    upstream, admin = backend.upstream(), backend.admin()
    with enter(admin) as session:
        session.execute("create table survived as select 42 as answer")
    waiting = enter(through_toxiproxy(backend))

    backend.crash()

    with pytest.raises(psycopg.OperationalError), waiting:
        waiting.execute("select 1")
    assert (backend.upstream(), backend.admin()) == (upstream, admin), "the container goes on"
    assert backend.ended() is None
    with enter(through_toxiproxy(backend)) as session:
        assert session.execute("select answer from survived").fetchone() == (42,)


def test_a_frozen_server_answers_nothing_until_it_thaws(backend: DockerBackend) -> None:
    with enter(through_toxiproxy(backend)) as session:
        backend.freeze()
        try:
            session.pgconn.send_query(b"select 1")
            session.pgconn.flush()
            with pytest.raises(psycopg.OperationalError, match="timeout"):
                psycopg.connect(through_toxiproxy(backend).dsn, connect_timeout=1)
            session.pgconn.consume_input()
            assert session.pgconn.is_busy()
            assert backend.ended() is None, "it is paused, and has not ended"
        finally:
            backend.thaw()
        assert session.pgconn.get_result() is not None
        assert session.pgconn.get_result() is None, "that was all of it"


def test_a_frozen_server_can_be_stopped(
    reaper: Reaper, images: dict[str, str], docker_client: docker.DockerClient
) -> None:
    frozen = DockerBackend(reaper, **images)
    frozen.start()
    frozen.freeze()
    frozen.stop()

    assert Belongings(docker_client, frozen._labels).are_gone()


def test_the_users_postgres_variables_are_not_heeded(
    backend: DockerBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGSSLMODE": "require",
        "PGHOSTADDR": "127.0.0.2",
        "PGOPTIONS": "-c nonsense=1",
        "PGCHANNELBINDING": "require",
        "PGPORT": "1",
    }.items():
        monkeypatch.setenv(name, value)
    backend.restart()


def test_a_restart_does_not_wait_for_toxiproxy(
    backend: DockerBackend, toxiproxy: ToxiproxyClient, proxy: str
) -> None:
    toxiproxy.add_toxic(proxy, "timeout", {"timeout": 0})

    backend.restart()

    with enter(backend.admin()) as session:
        assert session.execute("select 1").fetchone() == (1,)


def test_everything_carries_the_runs_labels(
    backend: DockerBackend, reaper: Reaper, docker_client: docker.DockerClient
) -> None:
    belongings = Belongings(docker_client, reaper.labels)

    assert backend.name == "docker"
    assert [name.split("-")[1] for name in belongings.containers()] == ["postgres", "toxiproxy"]
    assert len(belongings.networks()) == 1


def test_a_local_engine_publishes_on_loopback_alone(
    backend: DockerBackend, reaper: Reaper, daemon: Daemon, docker_client: docker.DockerClient
) -> None:
    if not daemon.is_local:
        pytest.skip("the Docker engine is on another machine")
    containers = docker_client.containers.list(filters={"label": f"brownout.run={reaper.run}"})
    published = [
        place["HostIp"]
        for container in containers
        for places in container.attrs["NetworkSettings"]["Ports"].values()
        for place in places
    ]

    assert set(published) == {"127.0.0.1"}
    assert {address.host for address in (backend.upstream(), backend.admin().address)} == {
        "127.0.0.1"
    }


@pytest.fixture
def other(reaper: Reaper, images: dict[str, str]) -> Iterator[DockerBackend]:
    """Another backend of the same run, to stop or to break."""
    other = DockerBackend(reaper, **images)
    other.start()
    yield other
    other.stop()


def test_stop_leaves_nothing_and_touches_no_other_backend(
    backend: DockerBackend, other: DockerBackend, docker_client: docker.DockerClient
) -> None:
    belongings = Belongings(docker_client, other._labels)
    volumes = belongings.volumes()
    started = belongings.containers()

    other.stop()

    assert len(started) == 2
    assert belongings.are_gone(), belongings
    assert volumes.isdisjoint(volume.name for volume in docker_client.volumes.list())
    with enter(through_toxiproxy(backend)) as session:
        assert session.execute("select 1").fetchone() == (1,)


def test_nothing_answers_after_stop_which_may_be_called_again(other: DockerBackend) -> None:
    other.stop()

    other.stop()

    with pytest.raises(BackendUnavailable, match="stopped already"):
        other.upstream()


def test_a_container_that_somebody_killed_is_named(
    other: DockerBackend, docker_client: docker.DockerClient
) -> None:
    own = [f"{name}={value}" for name, value in other._labels.items()]
    for container in docker_client.containers.list(filters={"label": own}):
        container.kill()

    with pytest.raises(BackendUnavailable, match="container of Toxiproxy ended with exit code 137"):
        other.upstream()


def test_the_password_is_in_no_representation(backend: DockerBackend) -> None:
    login = backend.admin()

    assert login.password not in repr(login)
    assert login.password not in repr(backend)
    assert isinstance(login.address, Address)
