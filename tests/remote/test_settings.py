"""Where a service already runs: what an option may name, and which hosts it may lead to."""

from pathlib import Path

import pytest

from brownout.errors import SettingsError
from brownout.login import Address
from brownout.settings.resolution import Layers, Settings, resolve
from tests.plugin.test_settings import layered

SERVICE = "http://127.0.0.1:8080"
PROXY = "http://127.0.0.1:8474/orders"


def remote(**changed: str) -> Settings:
    """Settings of the remote backend, with some options changed."""
    line = {"backend": "remote", "remote_service": SERVICE, "remote_proxy": PROXY, **changed}
    return layered(command_line=line)


def test_the_service_and_the_proxy_are_read() -> None:
    settings = remote(remote_service="http://localhost:8080/shop/")
    assert settings.remote_service is not None
    assert settings.remote_service.url == "http://localhost:8080/shop"
    assert settings.remote_proxy is not None
    assert settings.remote_proxy.api == Address("127.0.0.1", 8474)
    assert settings.remote_proxy.name == "orders"
    assert not settings.remote_service.secure
    assert settings.remote_ca is None
    assert not settings.allow_writes
    assert not settings.allow_unleased
    assert settings.arguments() == [
        "--brownout-backend=remote",
        "--brownout-remote-service=http://localhost:8080/shop",
        "--brownout-remote-proxy=http://127.0.0.1:8474/orders",
    ]


def test_the_usual_port_of_the_api_may_be_left_out() -> None:
    proxy = remote(remote_proxy="http://localhost/orders").remote_proxy
    assert proxy is not None
    assert proxy.api == Address("localhost", 8474)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("remote_service", "ftp://shop"),
        ("remote_service", "shop:8080"),
        ("remote_service", "http://shop:0"),
        ("remote_service", "http://shop:99999"),
        ("remote_service", "http://[::1]:8080"),
        ("remote_service", "http://shop/?debug=1"),
        ("remote_service", "http://me:hunter2@shop"),
        ("remote_proxy", "https://shop:8474/orders"),
        ("remote_proxy", "http://shop:8474"),
        ("remote_proxy", "http://shop:8474/proxies/orders"),
        ("remote_proxy", "http://me:hunter2@shop:8474/orders"),
    ],
)
def test_what_is_no_such_url_is_refused_without_showing_a_password(option: str, value: str) -> None:
    with pytest.raises(SettingsError, match="is needed") as refused:
        remote(**{option: value})
    assert "hunter2" not in str(refused.value)
    assert "Write http://HOST" in refused.value.remedy


def test_the_line_break_behind_a_url_is_not_of_it() -> None:
    settings = remote(remote_service=f" {SERVICE}/\r\n", remote_proxy=f"{PROXY}\n")
    assert settings.remote_service is not None
    assert settings.remote_service.url == SERVICE
    assert settings.remote_proxy is not None
    assert settings.remote_proxy.name == "orders"


@pytest.mark.parametrize("option", ["remote_service", "remote_proxy"])
@pytest.mark.parametrize("character", ["\n", "\r\n", "\t", "\x00", "\u200b"])
def test_a_control_character_in_a_url_is_refused(option: str, character: str) -> None:
    with pytest.raises(SettingsError, match="without line breaks") as refused:
        remote(**{option: f"http://127.0.0.1:8474/or{character}ders"})
    assert "Write it in one line" in refused.value.remedy


def test_an_authority_is_for_a_service_that_speaks_https(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("-")
    settings = remote(remote_service="https://localhost:8443", remote_ca=str(file))
    assert settings.remote_service is not None
    assert settings.remote_service.secure
    assert settings.remote_ca == file
    assert f"--brownout-remote-ca={file}" in settings.arguments()
    with pytest.raises(SettingsError, match="the service is asked by plain HTTP"):
        remote(remote_ca=str(file))
    with pytest.raises(SettingsError, match=r"the backend 'embedded' .* does not use it"):
        layered(command_line={"remote_ca": str(file)})


@pytest.mark.parametrize("scheme", ["HTTPS", "Https"])
def test_a_scheme_in_capitals_is_the_same(scheme: str) -> None:
    settings = remote(remote_service=f"{scheme}://localhost:8443/Shop/")
    assert settings.remote_service is not None
    assert settings.remote_service.url == "https://localhost:8443/Shop"
    assert settings.remote_service.secure


def test_an_authority_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no file") as refused:
        remote(remote_service="https://localhost:8443", remote_ca=str(tmp_path / "ca.pem"))
    assert "Name a PEM file" in refused.value.remedy


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8"])
def test_loopback_needs_no_consent(host: str) -> None:
    assert remote(remote_service=f"http://{host}:8080").remote_allow == ()


@pytest.mark.parametrize("option", ["remote_service", "remote_proxy"])
def test_a_host_is_loopback_or_allowed_by_name(option: str) -> None:
    url = "http://staging.example.com:8080/orders"
    with pytest.raises(SettingsError) as refused:
        remote(**{option: url}, remote_allow="example.com, ging.example.com,staging")
    argument = f"--brownout-{option.replace('_', '-')}"
    said = f"{argument} leads to the host staging.example.com, which is not allowed."
    assert refused.value.cause == said
    assert "--brownout-remote-allow=staging.example.com" in refused.value.remedy
    allowed = remote(**{option: url}, remote_allow="db.example.com, Staging.Example.com")
    assert allowed.remote_allow == ("db.example.com", "Staging.Example.com")


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "127.0.0.1.example.com", "localhost.evil"])
def test_what_only_looks_like_loopback_needs_consent(host: str) -> None:
    with pytest.raises(SettingsError, match="which is not allowed"):
        remote(remote_service=f"http://{host}:8080")


@pytest.mark.parametrize(
    ("left_out", "needed"),
    [
        ({"remote_service": ""}, "needs --brownout-remote-service."),
        ({"remote_proxy": ""}, "needs --brownout-remote-proxy."),
        (
            {"remote_service": "", "remote_proxy": ""},
            "needs --brownout-remote-service and --brownout-remote-proxy.",
        ),
    ],
)
def test_the_backend_needs_both(left_out: dict[str, str], needed: str) -> None:
    with pytest.raises(SettingsError) as refused:
        remote(**left_out)
    assert refused.value.cause.endswith(needed)


@pytest.mark.parametrize("option", ["remote_service", "remote_proxy"])
def test_another_backend_does_not_ignore_them(option: str) -> None:
    value = SERVICE if option == "remote_service" else PROXY
    with pytest.raises(SettingsError, match=r"the backend 'embedded' .* does not use it"):
        layered(command_line={option: value})


def watching(**changed: str) -> Settings:
    """Settings of a command that makes no fault."""
    folder = Path("/run")
    line = {"backend": "remote", **changed}
    layers = Layers(
        command_line=line, environment={}, ini={}, ini_file=folder / "x.ini", invoked_in=folder
    )
    return resolve(layers, makes_faults=False)


def test_a_command_that_makes_no_fault_needs_no_proxy_and_leaves_one_alone() -> None:
    assert watching(remote_service=SERVICE).remote_proxy is None
    elsewhere = "http://staging:8474/orders"
    assert watching(remote_service=SERVICE, remote_proxy=elsewhere).remote_allow == ()
    with pytest.raises(SettingsError, match=r"needs --brownout-remote-service\.") as refused:
        watching(remote_proxy=PROXY)
    assert "proxy" not in refused.value.remedy
    with pytest.raises(SettingsError, match="which is not allowed"):
        watching(remote_service="http://staging:8080")
