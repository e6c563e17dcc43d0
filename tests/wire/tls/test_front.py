"""TLS is ended at the engine, in front of a server that has none."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from brownout import ProxyError
from brownout.backends.model import Backend
from brownout.control import EngineProcess, ProxyRecord
from brownout.engine.wire.actions import Error
from brownout.engine.wire.rules import Rule
from brownout.engine.wire.when import When
from tests.wire.tls.certificates import Certificates
from tests.wire.tls.ways import DEADLINE, DIRECT, SLEEPS, by_asyncpg, by_libpq, cancelled

Make = Callable[..., ProxyRecord]

_SSL_REQUEST = bytes.fromhex("00000008 04d2162f")

needs_17 = pytest.mark.skipif(not DIRECT, reason="libpq 17 is needed")


@pytest.fixture
def secured(make_proxy: Make, server: Backend, certificates: Certificates) -> ProxyRecord:
    return make_proxy(server.upstream(), **certificates.front())


def _facts(engine: EngineProcess, proxy: ProxyRecord) -> list[dict[str, Any]]:
    url = f"http://{engine.address}/proxies/{proxy.name}/connections"
    return [one["wire"] for one in requests.get(url, timeout=5).json()]


def _raw(proxy: ProxyRecord) -> socket.socket:
    return socket.create_connection((proxy.host, proxy.port), timeout=DEADLINE)


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_proxy_without_a_certificate_answers_n(make_proxy: Make, server: Backend) -> None:
    proxy = make_proxy(server.upstream())
    with pytest.raises(psycopg.OperationalError, match="does not support SSL"):
        by_libpq(proxy, server.admin(), sslmode="require")
    with by_libpq(proxy, server.admin(), sslmode="prefer") as connection:
        assert not connection.pgconn.ssl_in_use


@pytest.mark.parametrize(
    "parameters",
    [
        {"sslmode": "require"},
        {"sslmode": "require", "channel_binding": "disable"},
        {"sslmode": "verify-full"},
        {"sslmode": "require", "ssl_max_protocol_version": "TLSv1.2"},
        pytest.param({"sslmode": "verify-full", "sslnegotiation": "direct"}, marks=needs_17),
    ],
    ids=lambda parameters: "-".join(parameters.values()),
)
def test_libpq_is_encrypted_and_followed(
    parameters: dict[str, str], secured: ProxyRecord, server: Backend,
    certificates: Certificates, engine: EngineProcess,
) -> None:  # fmt: skip
    if parameters["sslmode"] == "verify-full":
        parameters = {**parameters, "sslrootcert": str(certificates.ca)}
    with by_libpq(secured, server.admin(), **parameters) as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.execute("select %s::int", [7]).fetchone() == (7,)
        [facts] = _facts(engine, secured)

    version = parameters.get("ssl_max_protocol_version", "TLSv1.3")
    assert facts["client_tls"] == version
    assert facts["upstream_tls"] is None
    assert facts["opaque"] is None
    events = engine.client.wire.events(secured.name)
    assert [one.tag for one in events if one.type == "StartupMessage"] == [version]
    assert "select $1::int" in {one.sql for one in events}


def test_asyncpg_is_encrypted_and_followed(
    secured: ProxyRecord, server: Backend, certificates: Certificates,
    engine: EngineProcess,
) -> None:  # fmt: skip
    async def use() -> Any:
        connection = await by_asyncpg(secured, server.admin(), certificates)
        answer = await connection.fetchval("select $1::int", 7)
        await connection.close()
        return answer

    assert asyncio.run(use()) == 7
    assert _facts(engine, secured)[0]["client_tls"] == "TLSv1.3"


def test_a_client_without_tls_is_let_in(
    secured: ProxyRecord, server: Backend, engine: EngineProcess
) -> None:
    with by_libpq(secured, server.admin(), sslmode="disable") as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    events = engine.client.wire.events(secured.name)
    assert [one.tag for one in events if one.type == "StartupMessage"] == [None]


def test_much_data_passes_both_ways(secured: ProxyRecord, server: Backend) -> None:
    text = "0123456789" * 500_000
    with by_libpq(secured, server.admin(), sslmode="require") as connection:
        assert connection.execute("select %s::text", [text]).fetchone() == (text,)


@needs_17
def test_a_cancel_request_comes_encrypted(
    secured: ProxyRecord, server: Backend, engine: EngineProcess
) -> None:
    with by_libpq(secured, server.admin(), sslmode="require") as connection:
        with (
            cancelled(connection, server.admin()),
            pytest.raises(psycopg.errors.QueryCanceled),
        ):
            connection.execute(SLEEPS)
        assert connection.execute("select 1").fetchone() == (1,)
    events = engine.client.wire.events(secured.name)
    assert [one.tag for one in events if one.type == "CancelRequest"] == ["TLSv1.3"]


def test_a_rule_means_what_was_encrypted(
    secured: ProxyRecord, server: Backend, engine: EngineProcess
) -> None:
    wire = engine.client.wire
    wire.add_rule(secured.name, Rule(When(sql="select 42", times=1), Error("40001"), "r"))
    with by_libpq(secured, server.admin(), sslmode="require") as connection:
        with pytest.raises(psycopg.errors.SerializationFailure):
            connection.execute("select 42")
        assert connection.execute("select 42").fetchone() == (42,)
    assert wire.rule(secured.name, "r").hits == 1


def test_a_client_that_does_not_trust_us_disturbs_nobody(
    secured: ProxyRecord, server: Backend, certificates: Certificates,
    engine: EngineProcess,
) -> None:  # fmt: skip
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        by_libpq(
            secured, server.admin(), sslmode="verify-full", sslrootcert=str(certificates.stranger)
        )
    with by_libpq(secured, server.admin(), sslmode="require"):
        pass

    def refused() -> int:
        """How many connections ended so, of which the engine may hear later than the client."""
        told = [one["opaque"] or "" for one in _facts(engine, secured)]
        return sum("no TLS with the client" in one for one in told)

    _until(lambda: refused() == 1)


@pytest.mark.parametrize("protocols", [[], ["http/1.1"]], ids=["none", "http"])
def test_direct_tls_without_its_protocol_is_refused(
    protocols: list[str], secured: ProxyRecord, engine: EngineProcess
) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    with _raw(secured) as raw, context.wrap_socket(raw) as connection:
        assert connection.recv(1) == b""
    assert "ALPN" in _facts(engine, secured)[0]["opaque"]


def test_what_comes_unencrypted_behind_the_request_ends_the_connection(
    secured: ProxyRecord, engine: EngineProcess
) -> None:
    with _raw(secured) as raw:
        raw.sendall(_SSL_REQUEST + b"Q\x00\x00\x00\x0dselect 1\x00")
        assert raw.recv(10) == b""
    assert _facts(engine, secured)[0]["opaque"] == "unencrypted data behind SSLRequest"


@pytest.mark.parametrize("first", [_SSL_REQUEST, b""], ids=["asked", "direct"])
def test_a_handshake_may_come_byte_by_byte(
    first: bytes, secured: ProxyRecord, engine: EngineProcess
) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["postgresql"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    with _raw(secured) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def drip(data: bytes) -> None:
            for byte in data:
                raw.sendall(bytes([byte]))

        drip(first)
        assert not first or raw.recv(1) == b"S"
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                drip(outgoing.read())
                incoming.write(raw.recv(65536))
            else:
                break
        drip(outgoing.read())
        _until(lambda: _facts(engine, secured)[0]["client_tls"] == "TLSv1.3")


def test_garbage_instead_of_a_handshake_ends_the_connection(
    secured: ProxyRecord, engine: EngineProcess
) -> None:
    with _raw(secured) as raw:
        raw.sendall(_SSL_REQUEST)
        assert raw.recv(1) == b"S"
        raw.sendall(b"garbage" * 100)
        while raw.recv(4096):
            pass
    assert _facts(engine, secured)[0]["opaque"].startswith("no TLS with the client: ")


def test_nothing_that_can_be_asked_for_holds_the_key(
    secured: ProxyRecord, engine: EngineProcess, certificates: Certificates
) -> None:
    key = certificates.key_of(certificates.engine)
    lines = [line for line in key.read_text().splitlines() if not line.startswith("-")]
    for path in ("", f"/{secured.name}", f"/{secured.name}/connections", f"/{secured.name}/counts"):
        said = requests.get(f"http://{engine.address}/proxies{path}", timeout=5).text
        assert not any(line in said for line in [*lines, str(key)])
    shown = requests.get(f"http://{engine.address}/proxies/{secured.name}", timeout=5).json()
    assert shown["tls"] == {"certificate": str(certificates.engine), "upstream": "disable"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"certificate": "/no/such"}, "tls.certificate /no/such: there is no such file"),
        ({"key": "/no/such"}, "tls.key /no/such: there is no such file"),
        ({"certificate": "/dev/zero"}, "tls.certificate /dev/zero: it is not a regular file"),
        ({"key": ""}, "tls.key is missing"),
        ({"certificate": ""}, "tls.certificate is missing"),
        ({"key": "{server_key}"}, "the key does not belong to the certificate"),
        ({"key": "{ca}"}, "not a PEM certificate and its key|is not PEM"),
        ({"certificate": "{engine_key}"}, "not a PEM certificate and its key|is not PEM"),
        ({"key": "{locked}"}, "without a pass phrase"),
        ({"certificate": 5}, "certificate must be a string"),
        ({"certificat": "x"}, "tls has no field 'certificat'"),
        ({"upstream": "verify-ca"}, "tls.upstream must be one of disable, require, verify-full"),
        ({"upstream": "require", "ca": "{ca}"}, "tls.ca is only used"),
        ({"upstream": "verify-full", "ca": "/no/ca"}, "tls.ca /no/ca: there is no such file"),
        ({"upstream": "verify-full", "ca": "{engine_key}"}, "contains no certificate"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_reason(
    change: dict[str, Any], said: str, make_proxy: Make, certificates: Certificates, folder: Path
) -> None:
    key = certificates.key_of(certificates.engine)
    files = {
        "{server_key}": certificates.key_of(certificates.server),
        "{engine_key}": key,
        "{ca}": certificates.ca,
        "{locked}": _locked(key, folder),
    }
    given = {name: str(files.get(value, value)) if isinstance(value, str) else value
             for name, value in change.items()}  # fmt: skip
    with pytest.raises(ProxyError, match=said) as refusal:
        make_proxy("127.0.0.1:1", **{**certificates.front(), **given})
    assert "PRIVATE KEY" not in str(refusal.value)


def _locked(key: Path, folder: Path) -> Path:
    """The same key under a pass phrase."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    loaded = load_pem_private_key(key.read_bytes(), None)
    locked = folder / "locked.key"
    locked.write_bytes(
        loaded.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a pass phrase")
        )
    )
    return locked


def test_tls_needs_a_proxy_that_is_followed(
    engine: EngineProcess, certificates: Certificates
) -> None:
    with pytest.raises(ProxyError, match=r"tls needs .*protocol.*postgresql"):
        engine.client.create_proxy("plain", "127.0.0.1:1", tls=certificates.front())


def test_tls_stays_when_a_proxy_is_updated(
    secured: ProxyRecord, server: Backend, engine: EngineProcess
) -> None:
    engine.client.set_enabled(secured.name, False)
    engine.client.set_enabled(secured.name, True)
    with by_libpq(secured, server.admin(), sslmode="require") as connection:
        assert connection.pgconn.ssl_in_use


def test_a_configuration_is_checked_before_any_proxy_is_made(
    engine: EngineProcess, certificates: Certificates
) -> None:
    proxy = {"upstream": "127.0.0.1:1", "protocol": "postgresql"}
    entries = [
        {**proxy, "name": "good", "tls": certificates.front()},
        {**proxy, "name": "bad", "tls": {**certificates.front(), "key": "/no/such"}},
    ]
    answer = requests.post(f"http://{engine.address}/populate", json=entries, timeout=5)
    assert answer.status_code == 400
    assert "tls.key /no/such" in answer.json()["error"]
    assert "good" not in engine.client.proxies()
