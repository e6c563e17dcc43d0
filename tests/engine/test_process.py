"""The engine's process: it starts, says where, and goes with its parent."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from brownout.control import EngineProcess
from brownout.errors import ProxyError
from tests.engine.peers import PATIENCE, soon


def test_it_serves_on_loopback_and_stops_twice() -> None:
    engine = EngineProcess.start({"BROWNOUT_TEST_MARK": "here"})
    try:
        assert engine.address.startswith("127.0.0.1:")
        assert engine.client.version() == "2.12.0"
        process = psutil.Process(engine.pid)
        assert process.environ()["BROWNOUT_TEST_MARK"] == "here"
        assert {one.laddr.ip for one in process.net_connections("tcp")} == {"127.0.0.1"}
    finally:
        engine.stop()
        engine.stop()
    assert not psutil.pid_exists(engine.pid)


def test_the_administrator_s_url_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWNOUT_POSTGRES", "postgresql://admin:hunter2@db/postgres")
    with EngineProcess.start() as engine:
        assert "BROWNOUT_POSTGRES" not in psutil.Process(engine.pid).environ()


def test_no_place_for_temporary_files_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(ProxyError, match="did not start") as refusal:
        EngineProcess.start()
    assert "no file for its log" in refusal.value.tried[0]
    assert "nowhere" in refusal.value.tried[0]


@contextmanager
def _parent(code: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process that runs `code`, which prints the id of an engine that it has started."""
    code = f"from brownout.control import EngineProcess; import threading, time\n{code}"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        try:
            assert parent.stdout is not None
            yield parent, int(parent.stdout.readline())
        finally:
            parent.kill()


def _gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


_START = "print(EngineProcess.start().pid, flush=True); time.sleep(60)"


def test_it_ends_when_its_parent_is_killed() -> None:
    with _parent(_START) as (parent, pid):
        assert not _gone(pid)
        parent.kill()
        assert soon(lambda: _gone(pid))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel ends it")
def test_a_parents_end_is_obeyed_even_if_the_loop_never_runs_again() -> None:
    with _parent(_START) as (parent, pid):
        psutil.Process(pid).suspend()
        parent.kill()
        assert soon(lambda: _gone(pid))


def test_the_end_of_the_thread_that_started_it_is_not_its_parents_end() -> None:
    code = (
        "one = threading.Thread(target=lambda: engines.append(EngineProcess.start()))\n"
        "engines = []; one.start(); one.join(); (engine,) = engines\n"
        "print(engine.pid, flush=True); print(engine.client.version(), flush=True); time.sleep(60)"
    )
    with _parent(code) as (parent, pid):
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"2.12.0\n"
        parent.kill()
        assert soon(lambda: _gone(pid))


@pytest.mark.parametrize("loop", ["while True: pass", "time.sleep(60)"])
def test_a_signal_is_obeyed_even_if_the_loop_never_runs_again(loop: str) -> None:
    code = (
        "import signal, time; from brownout.engine import ending; ending.GRACE = 0.1\n"
        "ending.end_on(signal.SIGTERM, stop=lambda: None); print(flush=True)\n" + loop
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        assert process.wait(PATIENCE) == 128 + signal.SIGTERM


def test_a_start_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(ProxyError, match="did not start") as caught:
        EngineProcess.start()
    assert "/no/such/python" in caught.value.tried[0]


def test_a_process_that_ends_at_once_shows_its_last_words() -> None:
    with pytest.raises(ProxyError, match="did not start") as caught:
        EngineProcess.start({"PYTHONHOME": "/no/such/place"})
    assert "exit code" in caught.value.tried[0]
    assert "No module named 'encodings'" in caught.value.tried[1]


def test_it_imports_neither_the_clients_nor_the_declaration() -> None:
    started = subprocess.run(
        [sys.executable, "-X", "importtime", "-P", "-m", "brownout.engine"],
        input="",
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in started.stderr.splitlines()}
    assert "brownout.engine.server" in imported
    assert not {"brownout.control.client", "requests", "brownout.declaration"} & imported


def test_control_c_is_left_to_the_parent() -> None:
    engine = EngineProcess.start()
    try:
        os.kill(engine.pid, signal.SIGINT)
        deadline = time.monotonic() + PATIENCE
        assert engine.client.version() == "2.12.0"
        assert time.monotonic() < deadline
    finally:
        engine.stop()
