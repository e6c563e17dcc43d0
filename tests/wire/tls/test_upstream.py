"""The server is reached by TLS: by services without it, and by those that have it too."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

from brownout.backends.embedded import EmbeddedBackend
from brownout.backends.external import ExternalBackend
from brownout.backends.model import Backend
from brownout.control import EngineProcess, ProxyRecord
from brownout.engine.wire.actions import Cut, Error
from brownout.engine.wire.rules import Rule
from brownout.engine.wire.when import When
from brownout.errors import BackendUnavailable
from brownout.faults import LostCommitReply, ServerError, Statement
from brownout.postgres import Postgres
from brownout.reaper import Reaper
from tests.wire.kept import with_kept
from tests.wire.tls.certificates import Certificates
from tests.wire.tls.ways import DEADLINE, DIRECT, SLEEPS, by_asyncpg, by_libpq, cancelled, encrypted

Make = Callable[..., ProxyRecord]

LOST = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)
BOTH_WAYS = r"server's own.*certificate.*channel_binding=disable"

needs_17 = pytest.mark.skipif(not DIRECT, reason="libpq 17 is needed")


@pytest.fixture
def behind(
    make_proxy: Make, tls_server: EmbeddedBackend, certificates: Certificates
) -> ProxyRecord:
    """TLS behind the engine alone."""
    port = tls_server.upstream().port
    return make_proxy(f"localhost:{port}", **certificates.behind())


@pytest.fixture
def both(make_proxy: Make, tls_server: EmbeddedBackend, certificates: Certificates) -> ProxyRecord:
    """TLS on both legs, with a certificate of the engine's own."""
    port = tls_server.upstream().port
    return make_proxy(f"localhost:{port}", **certificates.front(), **certificates.behind())


@pytest.fixture
def same(make_proxy: Make, tls_server: EmbeddedBackend, certificates: Certificates) -> ProxyRecord:
    """TLS on both legs, with the server's certificate in front."""
    return make_proxy(
        tls_server.upstream(), **certificates.front(certificates.server), upstream="require"
    )


@pytest.fixture(autouse=True)
def empty(tls_server: EmbeddedBackend) -> None:
    with psycopg.connect(tls_server.admin().dsn, autocommit=True) as session:
        session.execute("truncate kept")


def _rows(server: Backend) -> list[Any]:
    with psycopg.connect(server.admin().dsn) as session:
        return session.execute("select number from kept order by number").fetchall()


# -- who gets in ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_a_client_without_tls_reaches_a_server_with_it(
    mode: str, make_proxy: Make, tls_server: EmbeddedBackend, certificates: Certificates
) -> None:
    tls = certificates.behind() if mode == "verify-full" else {"upstream": mode}
    proxy = make_proxy(f"localhost:{tls_server.upstream().port}", **tls)
    # libpq would not go on if the server's offer to bind reached it.
    with by_libpq(proxy, tls_server.admin(), sslmode="prefer") as connection:
        assert encrypted(connection) == (False, True)


def test_asyncpg_without_tls_reaches_a_server_with_it(
    behind: ProxyRecord, tls_server: EmbeddedBackend
) -> None:
    async def use() -> Any:
        connection = await by_asyncpg(behind, tls_server.admin(), None)
        try:
            return await connection.fetchval(
                "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
            )
        finally:
            await connection.close()

    assert asyncio.run(use()) is True


def test_what_is_decrypted_is_followed_and_told(
    both: ProxyRecord, tls_server: EmbeddedBackend, engine: EngineProcess
) -> None:
    with by_libpq(
        both, tls_server.admin(), sslmode="require", channel_binding="disable"
    ) as connection:
        assert encrypted(connection) == (True, True)
        facts = engine.client._get(f"/proxies/{both.name}/connections")[0]["wire"]
    assert (facts["client_tls"], facts["upstream_tls"]) == ("TLSv1.3", "TLSv1.3")
    types = [one.type for one in engine.client.wire.events(both.name)]
    assert {"StartupMessage", "Authentication", "ReadyForQuery"} <= set(types)


def test_much_data_passes_both_ways(both: ProxyRecord, tls_server: EmbeddedBackend) -> None:
    text = "0123456789" * 500_000
    with by_libpq(
        both, tls_server.admin(), sslmode="require", channel_binding="disable"
    ) as connection:
        assert connection.execute("select %s::text", [text]).fetchone() == (text,)


# -- channel binding -----------------------------------------------------------------------------


@pytest.mark.parametrize("binding", ["disable", "prefer", "require"])
def test_channel_binding_passes_with_the_servers_own_certificate(
    binding: str, same: ProxyRecord, tls_server: EmbeddedBackend
) -> None:
    with by_libpq(
        same, tls_server.admin(), sslmode="require", channel_binding=binding
    ) as connection:
        assert encrypted(connection) == (True, True)


@pytest.mark.parametrize("negotiation", ["postgres", pytest.param("direct", marks=needs_17)])
def test_a_client_that_does_not_bind_needs_nothing(
    negotiation: str, both: ProxyRecord, tls_server: EmbeddedBackend
) -> None:
    more = {"sslnegotiation": negotiation} if DIRECT else {}
    with by_libpq(
        both, tls_server.admin(), sslmode="require", channel_binding="disable", **more
    ) as connection:
        assert encrypted(connection) == (True, True)


def test_asyncpg_does_not_bind(
    both: ProxyRecord, tls_server: EmbeddedBackend, certificates: Certificates
) -> None:
    async def use() -> Any:
        connection = await by_asyncpg(both, tls_server.admin(), certificates)
        try:
            return await connection.fetchval("select 7")
        finally:
            await connection.close()

    assert asyncio.run(use()) == 7


@pytest.mark.parametrize("binding", ["prefer", "require"])
def test_a_client_that_binds_to_another_certificate_is_told_both_ways_out(
    binding: str, both: ProxyRecord, tls_server: EmbeddedBackend
) -> None:
    with pytest.raises(psycopg.OperationalError, match=BOTH_WAYS) as refusal:
        by_libpq(both, tls_server.admin(), sslmode="require", channel_binding=binding)
    assert "password was not looked at" in str(refusal.value)
    assert "password authentication failed" not in tls_server.server_log()


def test_a_wrong_password_is_still_the_servers_word(
    both: ProxyRecord, tls_server: EmbeddedBackend
) -> None:
    login = replace(tls_server.admin(), password="wrong")  # noqa: S106
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        by_libpq(both, login, sslmode="require", channel_binding="disable")


# -- servers that cannot be had ------------------------------------------------------------------


@pytest.mark.parametrize("front", [False, True], ids=["plain", "tls"])
def test_a_server_without_tls_is_named(
    front: bool, make_proxy: Make, server: Backend, certificates: Certificates
) -> None:
    tls = certificates.front() if front else {}
    proxy = make_proxy(server.upstream(), **tls, upstream="require")
    mode = "require" if front else "disable"
    with pytest.raises(psycopg.OperationalError, match="asked for TLS, it answered 'N'") as refusal:
        by_libpq(proxy, server.admin(), sslmode=mode)
    assert str(server.upstream()) in str(refusal.value)

    async def use() -> None:
        await by_asyncpg(proxy, server.admin(), certificates if front else None)

    with pytest.raises(asyncpg.PostgresError, match="asked for TLS, it answered 'N'"):
        asyncio.run(use())


@pytest.mark.parametrize(
    ("host", "trusted", "said"),
    [
        ("localhost", "stranger", "unable to get local issuer certificate|self.signed"),
        ("127.0.0.1", "ca", "IP address mismatch"),
    ],
)
def test_a_server_that_cannot_be_verified_is_named(
    host: str, trusted: str, said: str, make_proxy: Make, tls_server: EmbeddedBackend,
    certificates: Certificates,
) -> None:  # fmt: skip
    ca: Path = getattr(certificates, trusted)
    proxy = make_proxy(f"{host}:{tls_server.upstream().port}", **certificates.behind(ca))
    with pytest.raises(psycopg.OperationalError, match=said) as refusal:
        by_libpq(proxy, tls_server.admin(), sslmode="disable")
    assert "no TLS with the server at" in str(refusal.value)


def test_a_client_that_leaves_a_refused_connection_leaves_nothing(
    make_proxy: Make, server: Backend, engine: EngineProcess
) -> None:
    proxy = make_proxy(server.upstream(), upstream="require")
    with socket.create_connection((proxy.host, proxy.port), timeout=DEADLINE):
        pass
    deadline = time.monotonic() + DEADLINE
    while engine.client.counts(proxy.name).open:
        assert time.monotonic() < deadline
        time.sleep(0.01)


# -- faults and cancels through both legs --------------------------------------------------------


@needs_17
def test_a_cancel_request_is_encrypted_on_both_legs(
    both: ProxyRecord, tls_server: EmbeddedBackend, engine: EngineProcess
) -> None:
    login = tls_server.admin()
    with (
        by_libpq(both, login, sslmode="require", channel_binding="disable") as connection,
        cancelled(connection, login),
        pytest.raises(psycopg.errors.QueryCanceled),
    ):
        connection.execute(SLEEPS)
    events = engine.client.wire.events(both.name)
    assert [one.tag for one in events if one.type == "CancelRequest"] == ["TLSv1.3"]


def test_asyncpg_cancels_through_both_legs(
    both: ProxyRecord, tls_server: EmbeddedBackend, certificates: Certificates
) -> None:
    async def use() -> Any:
        connection = await by_asyncpg(both, tls_server.admin(), certificates)
        try:
            with pytest.raises(TimeoutError):
                await connection.fetch("select pg_sleep(60)", timeout=0.3)
            return await connection.fetchval("select 7", timeout=DEADLINE)
        finally:
            await connection.close(timeout=DEADLINE)

    assert asyncio.run(use()) == 7


def test_an_error_takes_the_place_of_a_request(
    both: ProxyRecord, tls_server: EmbeddedBackend, engine: EngineProcess,
    certificates: Certificates,
) -> None:  # fmt: skip
    rule = Rule(When(sql="insert into kept", times=1), Error("40001"), "r")
    engine.client.wire.add_rule(both.name, rule)

    async def use() -> None:
        connection = await by_asyncpg(both, tls_server.admin(), certificates)
        with pytest.raises(asyncpg.SerializationError):
            await connection.execute("insert into kept values ($1)", 1)
        await connection.execute("insert into kept values ($1)", 2)
        await connection.close()

    asyncio.run(use())
    assert engine.client.wire.rule(both.name, "r").hits == 1
    assert _rows(tls_server) == [(2,)]


@pytest.mark.parametrize("action", ["cut", "reset"])
def test_a_commit_reply_is_lost(
    action: str, both: ProxyRecord, tls_server: EmbeddedBackend, engine: EngineProcess,
    certificates: Certificates,
) -> None:  # fmt: skip
    engine.client.wire.add_rule(both.name, Rule(When(tag="COMMIT"), Cut(reset=action == "reset")))

    async def use() -> None:
        connection = await by_asyncpg(both, tls_server.admin(), certificates)
        with pytest.raises(LOST):
            async with asyncio.timeout(DEADLINE), connection.transaction():
                await connection.execute("insert into kept values (1)")
        connection.terminate()

    asyncio.run(use())
    assert _rows(tls_server) == [(1,)]


# -- a managed database --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def url(tls_server: EmbeddedBackend, certificates: Certificates) -> str:
    at = tls_server.admin().dsn.replace("127.0.0.1", "localhost")
    return f"{at}?sslmode=verify-full&sslrootcert={certificates.ca}"


@pytest.fixture
def managed(url: str, reaper: Reaper, engine: EngineProcess) -> Iterator[Postgres]:
    """A server that is reached by its URL, which asks for TLS."""
    backend = ExternalBackend(reaper, url)
    backend.start()
    with with_kept(backend, engine) as one:
        yield one


def test_a_server_named_by_its_url_is_reached_by_tls_all_the_way(managed: Postgres) -> None:
    [row] = managed.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
    assert row == (True,)
    with psycopg.connect(managed.dsn) as connection:
        assert encrypted(connection) == (False, True)


def test_its_faults_are_made_and_felt(managed: Postgres) -> None:
    with psycopg.connect(managed.dsn, autocommit=True) as connection:
        with (
            managed.inject(ServerError("40001", on=Statement("insert into kept"))),
            pytest.raises(psycopg.errors.SerializationFailure),
        ):
            connection.execute("insert into kept values (1)")
        connection.execute("begin")
        connection.execute("insert into kept values (2)")
        with managed.inject(LostCommitReply()), pytest.raises(psycopg.OperationalError):
            connection.execute("commit")
    assert managed.query("select number from kept") == [(2,)]


def test_an_authority_that_did_not_sign_it_is_told(
    tls_server: EmbeddedBackend, certificates: Certificates, reaper: Reaper
) -> None:
    login = tls_server.admin()
    url = login.dsn.replace("127.0.0.1", "localhost")
    url += f"?sslmode=verify-full&sslrootcert={certificates.stranger}"
    with pytest.raises(BackendUnavailable, match="Cannot connect to the") as raised:
        ExternalBackend(reaper, url).start()
    assert "certificate verify failed" in str(raised.value)
    assert login.password not in str(raised.value)
