"""What the engine has and Toxiproxy lacks: scopes, seeds, leases, refusing for an upstream."""

import socket
import threading
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from brownout.control import EngineClient, EngineProcess, ProxyRecord
from brownout.errors import ProxyError
from brownout.units import seconds
from tests.engine.peers import Upstream, connect, ending, soon

MAKE = Callable[..., ProxyRecord]


def hit(client: EngineClient, proxy: ProxyRecord) -> list[int]:
    return [one.number for one in client.connections(proxy.name) if one.toxics]


@pytest.mark.parametrize(
    ("scope", "numbers"),
    [
        ("all", [1, 2, 3, 4, 5]),
        ("established", [1, 2]),
        ("new", [3, 4, 5]),
        ({"nth": 2}, [4]),
        ({"first": 2}, [3, 4]),
    ],
)
def test_a_scope_says_which_connections_a_toxic_hits(
    client: EngineClient, proxy: ProxyRecord, upstream: Upstream, scope: object, numbers: list[int]
) -> None:
    nears = [connect(proxy) for _ in range(2)]
    for _ in nears:
        upstream.accept()
    client.add_toxic(proxy.name, "noop", scope=scope)
    for _ in range(3):
        nears.append(connect(proxy))
        upstream.accept()
    client.update_toxic(proxy.name, "noop_downstream", toxicity=1.0)
    assert hit(client, proxy) == numbers
    for near in nears:
        near.close()


def test_the_first_two_fail_and_the_third_succeeds(
    client: EngineClient, proxy: ProxyRecord, upstream: Upstream
) -> None:
    client.add_toxic(proxy.name, "reset_peer", scope={"first": 2})
    seen = []
    for _ in range(3):
        try:
            with connect(proxy) as near:
                far = upstream.accept()
                seen.append(ending(near, within=0.1))
                far.close()
        except ConnectionResetError:
            seen.append("rst")
    assert seen == ["rst", "rst", "open"]


@pytest.mark.parametrize(
    "scope", ["some", 7, {}, {"nth": 0}, {"first": -1}, {"nth": "2"}, "nth", {"nth": 2**64}]
)
def test_a_scope_that_is_none_is_refused_and_changes_nothing(
    client: EngineClient, proxy: ProxyRecord, scope: object
) -> None:
    with pytest.raises(ProxyError, match="bad request body"):
        client.add_toxic(proxy.name, "noop", scope=scope)
    assert client.proxy(proxy.name).toxics == ()


def drawn(seed: int, *, disturbed: bool) -> list[int]:
    """Which of 40 connections a toxic of half toxicity hits on an engine of its own."""
    listener = Upstream()
    process = EngineProcess.start(seed=seed)
    try:
        client = EngineClient(process.address)
        proxy = client.create_proxy("seeded", listener.address)
        if disturbed:
            client.add_toxic(proxy.name, "latency", {"jitter": 1}, name="other", toxicity=0.7)
        client.add_toxic(proxy.name, "noop", name="half", toxicity=0.5)
        nears = [connect(proxy) for _ in range(40)]
        assert soon(lambda: len(client.connections(proxy.name)) == 40)
        if disturbed:
            client.remove_toxic(proxy.name, "other")
        found = [one.number for one in client.connections(proxy.name) if "half" in one.toxics]
        for near in nears:
            near.close()
        return found
    finally:
        process.stop()
        listener.close()


def test_the_same_seed_draws_the_same_whatever_else_changes() -> None:
    first = drawn(7, disturbed=False)
    assert drawn(7, disturbed=True) == first
    assert drawn(8, disturbed=False) != first


def test_what_hangs_on_a_lease_ends_with_it(
    client: EngineClient, upstream: Upstream, proxy: ProxyRecord
) -> None:
    lease = client.grant_lease(seconds(60))
    client.create_proxy("leased", upstream.address, lease=lease)
    client.add_toxic(proxy.name, "timeout", lease=lease)
    client.add_toxic(proxy.name, "noop", name="stays")
    client.set_enabled(proxy.name, False, lease=lease)
    client.end_lease(lease)
    after = client.proxy(proxy.name)
    assert after.enabled
    assert [toxic.name for toxic in after.toxics] == ["stays"]
    assert "leased" not in client.proxies()


def test_a_lease_that_is_not_renewed_ends(client: EngineClient, proxy: ProxyRecord) -> None:
    lease = client.grant_lease(seconds(60))
    client.add_toxic(proxy.name, "noop", lease=lease)
    client._post(f"/leases/{lease}", {"duration": 1})
    assert soon(lambda: not client.proxy(proxy.name).toxics)
    with pytest.raises(ProxyError, match="lease not found"):
        client.renew_lease(lease)


def test_a_lease_that_is_renewed_does_not(client: EngineClient, proxy: ProxyRecord) -> None:
    lease = client.grant_lease(seconds(1), "mine")
    client.add_toxic(proxy.name, "noop", lease=lease)
    stop = threading.Event()

    def renew() -> None:
        while not stop.wait(0.05):
            client.renew_lease(lease)

    heart = threading.Thread(target=renew)
    heart.start()
    assert not stop.wait(1.3)
    assert client.proxy(proxy.name).toxics
    stop.set()
    heart.join()
    client.end_lease(lease)
    assert not client.proxy(proxy.name).toxics


def test_leases_are_checked(client: EngineClient, proxy: ProxyRecord) -> None:
    for duration in (timedelta(0), timedelta(days=-1)):
        with pytest.raises(ProxyError, match="duration"):
            client.grant_lease(duration)
    lease = client.grant_lease(seconds(60), "taken")
    with pytest.raises(ProxyError, match="lease already exists"):
        client.grant_lease(seconds(60), "taken")
    client.end_lease(lease)
    with pytest.raises(ProxyError, match="lease not found"):
        client.add_toxic(proxy.name, "noop", lease="taken")
    with pytest.raises(ProxyError, match="lease not found"):
        client.create_proxy("never", "127.0.0.1:1", lease="taken")
    assert "never" not in client.proxies()


def refused(proxy: ProxyRecord) -> bool:
    try:
        connect(proxy).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False
    return False


def test_a_proxy_refuses_while_its_upstream_is_down(
    make_proxy: MAKE, upstream: Upstream, client: EngineClient
) -> None:
    proxy = make_proxy(upstream.address, when_upstream_down="refuse")
    with connect(proxy) as near:
        upstream.accept()  # the look at the upstream when the proxy was made
        far = upstream.accept()
        upstream.stop_listening()
        far.close()
        assert ending(near) in ("fin", "rst")
    assert soon(lambda: refused(proxy))
    assert client.proxy(proxy.name).enabled
    port = int(upstream.address.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        assert soon(lambda: not refused(proxy))


def test_refusing_can_be_given_up_and_taken_up_again(
    make_proxy: MAKE, engine: EngineProcess
) -> None:
    proxy = make_proxy("127.0.0.1:1", when_upstream_down="refuse")
    assert soon(lambda: refused(proxy))
    path = f"http://{engine.address}/proxies/{proxy.name}"
    httpx.patch(path, json={"when_upstream_down": "accept"}, trust_env=False)
    assert not refused(proxy)
    httpx.patch(path, json={"when_upstream_down": "refuse"}, trust_env=False)
    assert soon(lambda: refused(proxy))


def test_a_proxy_made_for_a_missing_upstream_refuses_from_the_start(make_proxy: MAKE) -> None:
    proxy = make_proxy("127.0.0.1:1", when_upstream_down="refuse")
    assert soon(lambda: refused(proxy))


def test_extension_fields_are_checked(client: EngineClient) -> None:
    with pytest.raises(ProxyError, match="protocol must be one of plain, postgresql"):
        client.create_proxy("never", "127.0.0.1:1", protocol="mysql")
    with pytest.raises(ProxyError, match="protocol must be a string"):
        client.create_proxy("never", "127.0.0.1:1", protocol=1)
    with pytest.raises(ProxyError, match="when_upstream_down must be one of accept, refuse"):
        client.create_proxy("never", "127.0.0.1:1", when_upstream_down="panic")
    assert "never" not in client.proxies()


def test_extensions_show_only_where_they_are_used(
    make_proxy: MAKE, engine: EngineProcess, upstream: Upstream
) -> None:
    plain = make_proxy(upstream.address)
    special = make_proxy(upstream.address, protocol="postgresql", when_upstream_down="refuse")
    engine.client.add_toxic(special.name, "noop", scope={"nth": 3})
    shown = httpx.get(f"http://{engine.address}/proxies", trust_env=False).json()
    assert set(shown[plain.name]) == {"name", "listen", "upstream", "enabled", "toxics"}
    assert shown[special.name]["protocol"] == "postgresql"
    assert shown[special.name]["when_upstream_down"] == "refuse"
    assert shown[special.name]["toxics"][0]["scope"] == {"nth": 3}
