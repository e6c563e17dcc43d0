"""A service that speaks HTTPS is asked only where its certificate is accepted, and a certificate
that is not is said at once, with what to do."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from brownout import (
    Authentication,
    BrownoutError,
    Budget,
    Health,
    ServiceNotReady,
    SettingsError,
    ms,
    seconds,
)
from brownout.cli.asked import ask, document_at
from brownout.service import RunningService
from brownout.service.elsewhere import ServiceElsewhere
from brownout.service.tls import trusting, verifying
from brownout.settings.remote import RemoteService
from tests.core.certified import Authority, self_signed, server_context
from tests.core.made import service
from tests.core.peer import OK, Peer, serving, whole
from tests.core.test_runner import LOGIN, tiny

pytestmark = pytest.mark.timeout(60)

NEVER = seconds(600)  # a test that waited for this would not end in time


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.in_folder(tmp_path_factory.mktemp("certificates") / "own")


def unknown(authority: Authority) -> tuple[Path, Path]:
    """A certificate of another authority than the one that is trusted."""
    other = Authority.in_folder(authority.folder / "other")
    return other.issued(), authority.certificate


def another_name(authority: Authority) -> tuple[Path, Path]:
    """A certificate for another host."""
    return authority.issued("orders.example.com"), authority.certificate


def too_old(authority: Authority) -> tuple[Path, Path]:
    """A certificate whose time is over."""
    return authority.expired(), authority.certificate


def made_by_itself(authority: Authority) -> tuple[Path, Path]:
    """A self-signed certificate, where an authority is trusted."""
    return self_signed(authority.folder), authority.certificate


REFUSED = pytest.mark.parametrize(
    ("certified", "why", "remedy"),
    [
        (unknown, "unable to get local issuer certificate", "name the file with"),
        (made_by_itself, "self-signed certificate", "name the file with"),
        (another_name, "certificate is not valid for '127.0.0.1'", "Ask it by a host that its"),
        (too_old, "certificate has expired", "Renew the certificate"),
    ],
)
Certified = Callable[[Authority], tuple[Path, Path]]


# -- a service that Brownout starts ---------------------------------------------------------------


def started(folder: Path, certificate: Path, declared_as: Path | None, **fields: Any) -> None:
    """Start and stop a service that has this certificate, declared so."""
    command = tiny("serve_tls", "{port}", str(certificate))
    declaration = service(
        tls_ca=declared_as, **{"command": command, "start_timeout": NEVER, **fields}
    )
    one = RunningService(declaration, LOGIN, folder=folder, environment={}, announce=lambda _: None)
    try:
        one.start()
        assert one.url.startswith("https://127.0.0.1:")
    finally:
        one.stop()


def test_a_service_is_ready_whose_authority_is_declared(
    authority: Authority, tmp_path: Path
) -> None:
    started(tmp_path, authority.issued(), authority.certificate)


def test_a_service_is_ready_whose_self_signed_certificate_is_declared(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    started(tmp_path, certificate, certificate)


def test_without_a_health_route_an_answer_says_that_it_is_up(
    authority: Authority, tmp_path: Path
) -> None:
    health = Health(live=None, ready=None)
    started(tmp_path, authority.issued(), authority.certificate, health=health)


@REFUSED
def test_a_service_whose_certificate_is_not_accepted_is_not_waited_for(
    certified: Certified, why: str, remedy: str, authority: Authority, tmp_path: Path
) -> None:
    certificate, trusted = certified(authority)
    with pytest.raises(ServiceNotReady) as refused:
        started(tmp_path, certificate, trusted)
    assert refused.value.cause.startswith("The certificate of the service is not accepted: ")
    assert why in refused.value.cause
    assert remedy in refused.value.remedy
    assert ("by `tls_ca` in the declaration." in refused.value.remedy) == ("file" in remedy)


def test_https_where_plain_http_is_declared_is_said(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(ServiceNotReady) as refused:
        started(tmp_path, authority.issued(), None, start_timeout=seconds(1.5))
    assert "If the command speaks HTTPS, declare `tls_ca`." in refused.value.remedy


def test_plain_http_where_https_is_declared_is_said(authority: Authority, tmp_path: Path) -> None:
    command = tiny("serve", "{port}")
    with pytest.raises(ServiceNotReady) as refused:
        started(
            tmp_path,
            authority.issued(),
            authority.certificate,
            command=command,
            start_timeout=seconds(1.5),
        )
    assert "last seen: TLS failed, " in refused.value.cause
    assert "Let the command speak HTTPS" in refused.value.remedy


# -- a service that already runs ------------------------------------------------------------------


async def found(peer: Peer, trusted: Path | None) -> None:
    """Wait for the service of this peer."""
    one = ServiceElsewhere(
        service(), RemoteService("127.0.0.1", peer.url), authority=trusted, start_timeout=NEVER
    )
    await asyncio.to_thread(one.start)


@pytest.mark.asyncio
async def test_a_service_elsewhere_is_ready_whose_authority_is_named(authority: Authority) -> None:
    async with serving(OK, tls=server_context(authority.issued())) as peer:
        await found(peer, authority.certificate)
    assert [one.path for one in peer.requests] == ["/ready"]


@REFUSED
@pytest.mark.asyncio
async def test_a_service_elsewhere_whose_certificate_is_not_accepted_is_sent_nothing(
    certified: Certified, why: str, remedy: str, authority: Authority
) -> None:
    certificate, trusted = certified(authority)
    async with serving(OK, tls=server_context(certificate)) as peer:
        with pytest.raises(ServiceNotReady) as refused:
            await found(peer, trusted)
    assert peer.requests == []
    assert why in refused.value.cause
    assert remedy in refused.value.remedy
    assert ("by --brownout-remote-ca." in refused.value.remedy) == ("file" in remedy)


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
@pytest.mark.asyncio
async def test_a_login_is_sent_only_where_the_certificate_is_accepted(
    scheme: str, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority.in_folder(tmp_path / "stranger")
    login = Authentication(path="/login", json={"user": "ada"}, token="$.token")  # noqa: S106
    budget = Budget(request=seconds(1), recovery=ms(100), pool=3)
    answer = whole(200, b'{"token": "t"}')
    for issuer, paths in ((authority, ["/login"]), (stranger, [])):
        async with serving(answer, tls=server_context(issuer.issued())) as peer:
            one = ServiceElsewhere(
                service(login=login, budget=budget),
                RemoteService("127.0.0.1", peer.url.replace("https", scheme)),
                authority=authority.certificate,
            )
            with nullcontext() if paths else pytest.raises(ServiceNotReady, match="login failed"):
                await asyncio.to_thread(one.supply)
            assert [request.path for request in peer.requests] == paths


@pytest.mark.asyncio
async def test_without_a_named_authority_those_of_the_machine_count(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(OK, tls=server_context(authority.issued())) as peer:
        with pytest.raises(ServiceNotReady, match="unable to get local issuer certificate"):
            await found(peer, None)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        await found(peer, None)


@pytest.mark.asyncio
async def test_plain_http_behind_an_https_url_is_said() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    one = ServiceElsewhere(service(), RemoteService("127.0.0.1", url), start_timeout=ms(300))
    with pytest.raises(ServiceNotReady, match=r"not ready within 0\.3 s: TLS failed, "):
        await asyncio.to_thread(one.start)
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("asked", [document_at, ask])
@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
@pytest.mark.asyncio
async def test_a_document_is_read_only_where_the_certificate_is_accepted(
    scheme: str,
    asked: Callable[[str], object],
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`brownout init` has no option for an authority."""
    document = whole(200, b'{"openapi": "3.1.0", "paths": {}}')
    async with serving(document, tls=server_context(authority.issued())) as peer:
        with pytest.raises(SettingsError, match="cannot be asked") as refused:
            await asyncio.to_thread(asked, peer.url.replace("https", scheme))
        assert "Set SSL_CERT_FILE" in refused.value.remedy
        assert peer.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        await asyncio.to_thread(asked, peer.url.replace("https", scheme))
        assert peer.requests


@pytest.mark.parametrize("url", ["https://shop", "HTTPS://shop"])
def test_https_is_not_asked_without_what_verifies_its_certificate(url: str) -> None:
    with pytest.raises(BrownoutError, match="would not be verified"):
        verifying(url, None)
    assert verifying("http://shop", None) is False


# -- the file ------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ca\.pem.* cannot be read: No such file"):
        trusting(tmp_path / "ca.pem")


def test_a_file_without_a_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("hello\n")
    with pytest.raises(SettingsError, match=r"ca\.pem holds no certificate in PEM form"):
        trusting(tmp_path / "ca.pem")
