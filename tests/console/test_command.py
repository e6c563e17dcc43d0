"""`brownout up` serves until a signal, and leaves nothing behind, however it ends."""

import signal
import socket
from pathlib import Path

import httpx
import pytest

from brownout.cli import main
from tests.backends.waiting import processes
from tests.cli.conftest import Declare, declare
from tests.console.commanded import up
from tests.frame.whole_runs import left_by

__all__ = ["declare"]

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_it_serves_until_a_signal_and_nothing_is_left(
    declare: Declare, tmp_path: Path, number: signal.Signals
) -> None:
    declare()
    with up(tmp_path) as command:
        assert "declared by brownout.toml" in " ".join(command.said.split())
        post = {"fault": "Outage", "values": {}}
        made = httpx.post(f"{command.address}break", json=post, trust_env=False)
        assert made.json()["code"] == "Outage()"

        assert command.end(number) == 0

        assert command.said.endswith("brownout up: stopped; nothing is left running.\n")
        assert left_by(command.owner) == []


def test_nothing_is_left_of_it_if_it_is_killed(declare: Declare, tmp_path: Path) -> None:
    declare()
    with up(tmp_path) as command:
        assert len(processes(command.owner)) > 3, "reaper, engine, service, PostgreSQL"
        assert command.end(signal.SIGKILL) == -signal.SIGKILL
        assert left_by(command.owner) == []


def test_a_port_in_use_is_said_before_anything_starts(
    declare: Declare, capsys: pytest.CaptureFixture[str]
) -> None:
    declare()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["up", f"--port={port}"]) == 2
    said = capsys.readouterr()
    assert f"The page cannot be served on 127.0.0.1:{port}" in said.err
    assert said.out == ""


def test_a_folder_without_a_declaration_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["up"]) == 2
    assert "No service is declared in" in capsys.readouterr().err


def test_a_service_that_runs_elsewhere_is_refused(
    declare: Declare, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    declare()
    monkeypatch.setenv("BROWNOUT_BACKEND", "remote")
    monkeypatch.setenv("BROWNOUT_REMOTE_SERVICE", "http://127.0.0.1:9")
    monkeypatch.setenv("BROWNOUT_REMOTE_PROXY", "http://127.0.0.1:9/db")
    assert main(["up"]) == 2
    said = capsys.readouterr()
    assert "The backend is remote, but `brownout up` starts" in said.err
    assert said.out == ""


@pytest.mark.parametrize("port", ["-1", "65536", "http", ""])
def test_a_wrong_port_is_refused(port: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["up", f"--port={port}"])
    assert ended.value.code == 2
