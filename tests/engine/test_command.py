"""`brownout proxy`: a server in the foreground that takes Toxiproxy's flags."""

import json
import logging
import re
import signal
import socket
import subprocess
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest

from brownout.cli.proxy import main
from tests.engine.foreground import free_port, serving
from tests.engine.peers import PATIENCE, soon


def end(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> str:
    process.send_signal(number)
    output, _ = process.communicate(timeout=PATIENCE)
    return output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly_and_calls_and_connections_are_logged(number: int) -> None:
    with serving("--seed=42") as (client, process):
        body = {"name": "logged", "upstream": "127.0.0.1:1", "listen": "127.0.0.1:0"}
        host, _, port = client.post("/proxies", json=body).json()["listen"].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as near:
            near.recv(1)
        output = end(process, number)
        assert process.returncode == 0
    for text in (
        "seed 42",
        "POST /proxies: 201",
        "proxy logged: connection 1 from 127.0.0.1:",
        "cannot reach 127.0.0.1:1",
        "ended",
    ):
        assert text in output


def test_what_a_client_calls_things_forges_no_line_of_the_log() -> None:
    name = "a\n2026-01-01 00:00:00,000 INFO forged\x1b]0;owned\x07"
    with serving() as (client, process):
        body = {"name": name, "upstream": "127.0.0.1:1\r\nforged", "listen": "127.0.0.1:0"}
        assert client.post("/proxies", json=body).status_code == 201
        client.get("/forged%0a%1b[2J")
        client.get("/version", headers={"Connection": "upgrade", "Upgrade": "websocket"})
        client.post("/leases", json={"name": name, "duration": 1})
        output = end(process)
    lines = output.splitlines()
    assert not [line for line in lines if not re.match(r"20\d\d-\d\d-\d\d [\d:,]+ [A-Z]+ ", line)]
    assert not [line for line in lines if "INFO forged" in line and "\\n2026" not in line]
    assert "\x1b" not in output
    assert "\\x1b]0;owned" in output


def test_it_listens_on_loopback_alone() -> None:
    with serving() as (_, process):
        listening = [
            one.laddr.ip
            for one in psutil.Process(process.pid).net_connections("tcp")
            if one.status == psutil.CONN_LISTEN
        ]
    assert listening
    assert all(ip_address(address).is_loopback for address in listening)


def test_a_quiet_log_level_logs_nothing() -> None:
    with serving("-host", "127.0.0.1", environment={"LOG_LEVEL": "error"}) as (_, process):
        assert end(process) == ""


def test_a_configuration_is_populated(tmp_path: Path) -> None:
    path = tmp_path / "proxies.json"
    path.write_text(json.dumps([{"name": "a", "upstream": "127.0.0.1:1", "listen": "127.0.0.1:0"}]))
    with serving("-config", str(path)) as (client, _):
        assert list(client.get("/proxies").json()) == ["a"]


def test_a_configuration_takes_the_fields_of_the_extensions(tmp_path: Path) -> None:
    path = tmp_path / "proxies.json"
    tls = {"upstream": "require"}
    path.write_text(json.dumps([{**entry("a"), "protocol": "postgresql", "tls": tls}]))
    with serving("-config", str(path)) as (client, _):
        proxy = client.get("/proxies/a").json()
    assert (proxy["protocol"], proxy["tls"]) == ("postgresql", tls)


def entry(name: str, upstream: str = "127.0.0.1:1") -> dict[str, object]:
    return {"name": name, "upstream": upstream, "listen": "127.0.0.1:0"}


def test_a_configuration_is_read_again_at_sighup(tmp_path: Path) -> None:
    path = tmp_path / "proxies.json"
    listen = f"127.0.0.1:{free_port()}"
    kept = {**entry("kept"), "listen": listen}
    path.write_text(json.dumps([kept, entry("moved"), entry("gone")]))
    with serving("-config", str(path)) as (client, process):
        assert client.post("/proxies", json=entry("of a client")).status_code == 201
        toxic = {"name": "slow", "type": "latency", "attributes": {"latency": 1}}
        assert client.post("/proxies/kept/toxics", json=toxic).status_code == 200
        path.write_text(json.dumps([kept, entry("moved", "127.0.0.1:2"), entry("new")]))
        process.send_signal(signal.SIGHUP)
        assert soon(
            lambda: set(client.get("/proxies").json()) == {"kept", "moved", "new", "of a client"}
        )
        proxies = client.get("/proxies").json()
        assert proxies["kept"]["listen"] == listen
        assert [one["name"] for one in proxies["kept"]["toxics"]] == ["slow"]
        assert proxies["moved"]["upstream"] == "127.0.0.1:2"
        output = end(process)
    assert process.returncode == 0
    assert "proxy gone: removed, as it is no longer in" in output


@pytest.mark.parametrize("content", [None, "{", '[{"name": "kept", "upstream": "127.0.0.1:2"}, 3]'])
def test_a_file_that_cannot_be_read_again_changes_nothing(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "proxies.json"
    path.write_text(json.dumps([entry("kept")]))
    with serving("-config", str(path)) as (client, process):
        before = client.get("/proxies").json()
        if content is None:
            path.unlink()
        else:
            path.write_text(content)
        process.send_signal(signal.SIGHUP)
        assert process.stdout is not None
        said = next(line for line in process.stdout if "cannot be used" in line)
        assert client.get("/proxies").json() == before
        end(process)
    assert process.returncode == 0
    assert said.rstrip().endswith("The proxies that there are go on.")


def test_without_a_configuration_sighup_ends_it_as_a_closed_terminal_does() -> None:
    with serving() as (_, process):
        end(process, signal.SIGHUP)
    assert process.returncode == -signal.SIGHUP


def test_metrics_show_live_bytes_and_the_process() -> None:
    with serving("-proxy-metrics", "--runtime-metrics=true") as (client, _):
        with socket.create_server(("127.0.0.1", 0)) as upstream:
            address = f"127.0.0.1:{upstream.getsockname()[1]}"
            body = {"name": "m", "upstream": address, "listen": "127.0.0.1:0"}
            listen = client.post("/proxies", json=body).json()["listen"]
            with socket.create_connection(("127.0.0.1", int(listen.rpartition(":")[2]))) as near:
                far, _ = upstream.accept()
                near.sendall(b"12345")
                assert far.recv(5) == b"12345"
                far.close()
                text = client.get("/metrics").text
        labels = f'direction="upstream",listener="{listen}",proxy="m",upstream="{address}"'
        for name in ("received", "sent"):
            assert f"toxiproxy_proxy_{name}_bytes_total{{{labels}}} 5.0" in text
        assert "process_resident_memory_bytes" in text
        assert re.search(r"^brownout_tasks [1-9]", text, re.MULTILINE)
        assert re.search(r"^brownout_allocated_blocks [1-9]", text, re.MULTILINE)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-version"]) == 0
    assert "Toxiproxy API 2.12.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), ("{", "bad request body"), ('[{"name": "x"}]', "missing required")],
)
def test_a_configuration_that_cannot_be_used_is_one_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, reason: str
) -> None:
    path = tmp_path / "proxies.json"
    if content is not None:
        path.write_text(content)
    log = logging.getLogger("brownout.engine")
    before = (log.level, log.propagate, list(log.handlers))
    assert main(["-port", str(free_port()), "-config", str(path)]) == 2
    assert (log.level, log.propagate, list(log.handlers)) == before
    said = capsys.readouterr().err
    assert reason in said
    assert "What to do" in said


def test_a_port_in_use_is_one_clear_error(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["-host", "127.0.0.1", "-port", str(taken.getsockname()[1])]) == 2
    assert "in use" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["-port", "x"], ["-port", "70000"], ["--nope"], ["-seed", "a"]])
def test_a_flag_that_is_none_ends_with_2(flags: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(flags)
    assert caught.value.code == 2


def test_a_log_level_that_is_none_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")
    assert main([]) == 2
    assert "loud" in capsys.readouterr().err
