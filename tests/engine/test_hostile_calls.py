"""Calls that ask for too much: each is bounded in size and time, and the API answers meanwhile."""

import asyncio
import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from brownout.engine.api import visits
from brownout.engine.limits import LONGEST_BODY, LONGEST_TEXT, MOST_PROXIES, MOST_TOXICS
from brownout.engine.relay import address
from brownout.engine.server import Server, run
from brownout.engine.turns import Longest, Measured, in_slices
from tests.engine.foreground import serving
from tests.engine.peers import PATIENCE, Upstream, echoing, soon
from tests.engine.wire.messages import message, query, ready, startup

TURN = 0.25
"""Seconds of CPU for which a call may hold the event loop at once. The aim is 0.05, which a busy
machine doubles; without slices these calls took from 5 to 90."""

_FEW = 256  # descriptors


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    """An engine that says how long its calls held the loop."""
    with serving("-runtime-metrics", environment={"LOG_LEVEL": "error"}) as (client, _):
        client.timeout = httpx.Timeout(60)
        yield client


def _longest(api: httpx.Client) -> float:
    found = re.search(
        r"^brownout_longest_call_cpu_seconds ([\d.e-]+)", api.get("/metrics").text, re.MULTILINE
    )
    assert found is not None
    return float(found[1])


def _make(api: httpx.Client, name: str, upstream: str = "127.0.0.1:1", **more: object) -> str:
    body = {"name": name, "upstream": upstream, "listen": "127.0.0.1:0", **more}
    answer = api.post("/proxies", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["listen"])


# -- size and time -----------------------------------------------------------------------------


def test_there_are_at_most_so_many_toxics_and_all_calls_about_them_are_quick(
    api: httpx.Client,
) -> None:
    _make(api, "toxics")
    for number in range(MOST_TOXICS):
        body = {"name": f"t{number}", "type": "latency"}
        assert api.post("/proxies/toxics/toxics", json=body).status_code == 200
    refused = api.post("/proxies/toxics/toxics", json={"type": "noop"})
    assert (refused.status_code, refused.json()["error"]) == (
        409, f"an engine has {MOST_TOXICS} toxics at most: remove some",
    )  # fmt: skip
    for path in ("/proxies", "/proxies/toxics/toxics", "/proxies/toxics/counts"):
        assert len(api.get(path).content) > MOST_TOXICS * 20
    assert api.delete("/proxies/toxics").status_code == 204
    assert _longest(api) < TURN


def test_there_are_at_most_so_many_proxies(api: httpx.Client) -> None:
    wanted = [
        {"name": f"p{number}", "upstream": "127.0.0.1:1", "listen": "127.0.0.1:0"}
        for number in range(MOST_PROXIES + 1)
    ]
    for proxy in wanted:
        proxy["enabled"] = False  # type: ignore[assignment]
    refused = api.post("/populate", json=wanted)
    assert refused.status_code == 409
    assert f"{MOST_PROXIES} proxies at most" in refused.json()["error"]
    assert len(refused.json()["proxies"]) == len(api.get("/proxies").json()) == MOST_PROXIES
    assert api.post("/reset").status_code == 204
    for proxy in api.get("/proxies").json():
        assert api.delete(f"/proxies/{proxy}").status_code == 204
    assert _longest(api) < TURN


def test_a_large_record_is_read_in_pages(api: httpx.Client) -> None:
    upstream = Upstream()
    with closing(upstream):
        listen = _make(api, "record", upstream.address, protocol="postgresql")
        refused = api.post("/proxies/record/record", json={"keep": 1_000_000})
        assert refused.status_code == 400
        assert api.post("/proxies/record/record", json={"keep": 100_000}).status_code == 201
        host, _, port = listen.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as caller:
            caller.sendall(startup(user="u"))
            server = upstream.accept()
            server.recv(1024)
            server.sendall(message("R", b"\0\0\0\0") + ready())
            for number in range(40):
                server.sendall(query("")[:0] + message("D", b"\0\0") * 2000)
                caller.sendall(query(f"select {number} {'x' * 8000}"))
            assert soon(lambda: api.get("/proxies/record/record").json()["last"] > 80_000)
            page = api.get("/proxies/record/events?limit=1000000").json()["events"]
            assert 0 < len(page) <= 1000
            assert sum(len(event["sql"] or "") for event in page) < 2 << 20
            last = api.get(f"/proxies/record/events?after={page[-1]['number']}").json()["events"]
            assert last[0]["number"] == page[-1]["number"] + 1
            with api.stream("GET", "/proxies/record/stream?after=0") as lines:
                for number, line in enumerate(lines.iter_lines(), 1):
                    assert json.loads(line)["number"] == number
                    if number == 5_000:
                        break
        api.delete("/proxies/record")
    assert _longest(api) < TURN


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x" * (LONGEST_TEXT + 1), "when": {"sql": "a"}, "do": {"action": "cut"}},
        {"when": {"sql": "a", "y" * 200_000: 1}, "do": {"action": "cut"}},
        {"when": {"message": ["z" * 200_000]}, "do": {"action": "cut"}},
        {"when": {"message": ["Query"] * 20_000}, "do": {"action": "cut"}},
        {"when": {"sql": "a"}, "do": {"action": "cut" * 60_000}},
        {"when": {"sql": "a"}, "do": {"action": ["cut"] * 20_000}},
        {"when": {"sql": "a", "scope": "a" * 200_000}, "do": {"action": "cut"}},
        {"when": {"sql": "(a?){90}" * 100}, "do": {"action": "cut"}},
        {"when": {"sql": "a"}, "do": {"action": "error", "sqlstate": "4" * 200_000}},
        [[0] * 50_000],
    ],
)
def test_a_large_rule_is_refused_in_few_words(api: httpx.Client, body: object) -> None:
    _make(api, "rules", protocol="postgresql")
    answer = api.post("/proxies/rules/rules", json=body)
    api.delete("/proxies/rules")
    assert answer.status_code == 400
    assert len(answer.content) < 1000
    assert _longest(api) < TURN


def test_a_body_is_bounded(api: httpx.Client) -> None:
    answer = api.post("/proxies", content=b" " * (LONGEST_BODY + 1))
    assert answer.status_code == 400
    assert f"longer than {LONGEST_BODY} bytes" in answer.json()["error"]


def test_rules_whose_patterns_take_long_together_are_refused(api: httpx.Client) -> None:
    _make(api, "patterns", protocol="postgresql")
    statuses = [
        api.post(
            "/proxies/patterns/rules",
            json={"when": {"sql": f"(a|b)*a(a|b){{90}}c{number}"}, "do": {"action": "cut"}},
        ).status_code
        for number in range(60)
    ]
    api.delete("/proxies/patterns")
    assert statuses[0] == 201
    assert statuses[-1] == 409


def test_changes_of_many_connections_are_made_in_slices(api: httpx.Client) -> None:
    upstream = Upstream()
    with closing(upstream), ExitStack() as stack:
        listen = _make(api, "many", upstream.address)
        host, _, port = listen.rpartition(":")
        for _ in range(400):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=PATIENCE))
            upstream.accept()
        path = "/proxies/many/toxics"
        assert api.post(path, json={"type": "latency", "name": "t"}).status_code == 200
        assert api.post(f"{path}/t", json={"attributes": {"latency": 5}}).status_code == 200
        assert len(api.get("/proxies/many/connections").json()) == 400
        assert api.delete(f"{path}/t").status_code == 204
        assert api.post("/proxies/many", json={"enabled": False}).status_code == 200
        assert api.get("/proxies/many/counts").json()["ended"]["disabled"] == 400
        api.delete("/proxies/many")
    assert _longest(api) < TURN


# -- who calls ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8474"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "internal.evil.example"},
        {"Host": "evil.local"},
        {"Host": "["},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "localhost:8474", "Origin": "http://localhost:3000"},
        {"User-Agent": "Mozilla/5.0"},
    ],
)
def test_a_web_page_cannot_call(api: httpx.Client, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/version"), ("POST", "/reset"), ("DELETE", "/proxies/none")):
        assert api.request(method, path, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1:8474", "[::1]:8474", "toxiproxy:8474", "a.localhost", "::1",
     "host.docker.internal:8474", "toxiproxy.chaos.svc.cluster.local", "LOCALHOST."],
)  # fmt: skip
def test_a_client_that_uses_an_address_or_a_short_name_can_call(
    api: httpx.Client, host: str
) -> None:
    assert api.get("/version", headers={"Host": host}).status_code == 200


def test_a_name_with_a_dot_can_be_allowed() -> None:
    with serving("-allow-host", "Proxy.Example", environment={"LOG_LEVEL": "error"}) as (client, _):
        assert client.get("/version", headers={"Host": "proxy.example:8474"}).status_code == 200
        assert client.get("/version", headers={"Host": "other.example"}).status_code == 403


# -- who does not go on ------------------------------------------------------------------------


def test_the_api_answers_however_many_requests_are_never_finished() -> None:
    with (
        serving(environment={"LOG_LEVEL": "error"}, descriptors=_FEW) as (client, _),
        ExitStack() as stack,
    ):
        port = client.base_url.port
        assert port is not None
        for _ in range(2 * _FEW):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            half.sendall(b"POST /reset HTTP/1.1\r\nHost: localhost\r\n")
        assert soon(lambda: _answers(port))


def test_the_api_answers_however_many_connections_its_proxies_have() -> None:
    with (
        echoing() as address,
        serving(environment={"LOG_LEVEL": "error"}, descriptors=_FEW) as (client, _),
    ):
        host, _, port = _make(client, "p", address).rpartition(":")

        def connections() -> dict[str, int]:
            counts: dict[str, int] = client.get("/proxies/p/counts").json()["connections"]
            return counts

        with ExitStack() as callers:
            for _ in range(_FEW):
                callers.enter_context(socket.create_connection((host, int(port))))
            assert client.base_url.port is not None
            assert soon(lambda: connections()["open"] > _FEW / 4)
            for _ in range(20):
                assert _answers(client.base_url.port)
            assert connections()["dials_failed"] == 0
            assert connections()["open"] < _FEW / 2
        assert soon(lambda: connections()["open"] == 0)
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as later:
            later.sendall(b"x")
            assert later.recv(1) == b"x"


def _answers(port: int) -> bool:
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as fresh:
            return fresh.get("/version").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of an engine in this process that waits for a moment only."""
    for name in ("_REQUEST", "_CALL", "_READ"):
        monkeypatch.setattr(visits, name, 0.1)
    with socket.create_server(("127.0.0.1", 0)) as api:
        server = Server(api)
        ready_now = threading.Event()

        async def tell(_: object) -> None:
            ready_now.set()

        thread = threading.Thread(target=lambda: run(server.serve(tell)))
        thread.start()
        assert ready_now.wait(PATIENCE)
        yield int(api.getsockname()[1])
        server.stop()
        thread.join(PATIENCE)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /ver",
        b"GET /version HTTP/1.1\r\nHost: a\r\n",
        b"POST /proxies HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
        b"GET /version HTTP/1.1\r\nHost: a\r\n\r\nGET",
    ],
)
def test_a_request_that_does_not_come_is_given_up(impatient: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", impatient), timeout=PATIENCE) as caller:
        caller.sendall(sent)
        with closing(caller.makefile("rb")) as answer:
            try:
                answer.read()
            except ConnectionResetError:
                return


def test_a_head_without_end_is_given_up(api: httpx.Client) -> None:
    assert api.base_url.port is not None
    endless = b"GET /version HTTP/1.1\r\n" + b"X: y\r\n" * 10_000_000
    with (
        socket.create_connection(("127.0.0.1", api.base_url.port), timeout=PATIENCE) as caller,
        pytest.raises(OSError, match=r"reset|Broken pipe"),
    ):
        caller.sendall(endless)


# -- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/dev/zero", "/proc/kmsg", "/dev/tty", "/", "pipe", "empty"])
def test_a_certificate_is_a_regular_file(api: httpx.Client, tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(b"-" * ((1 << 20) + 1))
    tls = {"certificate": str(tmp_path / path), "key": str(tmp_path / "large")}
    body = {"name": "tls", "upstream": "127.0.0.1:1", "protocol": "postgresql", "tls": tls}
    answer = api.post("/proxies", json=body)
    assert answer.status_code == 400
    assert "tls.certificate" in answer.json()["error"]


def test_a_look_up_that_is_never_answered_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_up() -> None:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(address, "_LOOK_UP", 0.01)
        monkeypatch.setattr(loop, "getaddrinfo", lambda *_, **__: asyncio.sleep(60))
        await address.resolve(loop, "db.example:5432")

    with pytest.raises(TimeoutError, match="i/o timeout"):
        asyncio.run(look_up())


def test_the_loop_goes_on_while_a_coroutine_is_measured() -> None:
    longest = Longest()
    turns: list[int] = []

    async def work() -> str:
        await in_slices(range(4), lambda _: _spin(0.004))
        return "done"

    async def watch() -> str:
        loop = asyncio.get_running_loop()
        loop.call_soon(turns.append, 1)
        result: str = await Measured(work(), longest)
        return result

    assert asyncio.run(watch()) == "done"
    assert turns
    assert 0.004 <= longest.cpu < 0.016


def _spin(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass
