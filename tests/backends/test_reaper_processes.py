"""Which processes the reaper ends, and which it must never touch."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from brownout.backends.embedded import EmbeddedBackend
from brownout.errors import BrownoutError
from brownout.reaper import Reaper
from brownout.reaper.run import MARK, Run
from tests.backends.waiting import dead_run, has_ended, segments, until

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]


class Spawn:
    """Starts children and ends those that the test left."""

    def __init__(self) -> None:
        self.children: list[subprocess.Popen[str]] = []

    def __call__(
        self, *command: str, environment: Mapping[str, str], new_session: bool = False
    ) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            command or SLEEP,
            env={"PATH": os.environ["PATH"], **environment},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=new_session,
        )
        self.children.append(child)
        return child


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    spawned = Spawn()
    yield spawned
    for child in spawned.children:
        child.kill()
        child.communicate()


def said_pid(child: subprocess.Popen[str]) -> psutil.Process:
    assert child.stdout is not None
    return psutil.Process(int(child.stdout.readline()))


def is_asleep(child: subprocess.Popen[str]) -> bool:
    return child.poll() is None


def test_a_marked_process_is_ended(spawn: Spawn) -> None:
    with Reaper.start() as reaper:
        child = spawn(environment=reaper.environment)

    assert child.wait(timeout=5) == -signal.SIGKILL


def test_one_in_another_session_too(spawn: Spawn) -> None:
    with Reaper.start() as reaper:
        child = spawn(environment=reaper.environment, new_session=True)

    assert child.wait(timeout=5) == -signal.SIGKILL


def test_a_stopped_one_too(spawn: Spawn) -> None:
    with Reaper.start() as reaper:
        child = spawn(environment=reaper.environment)
        child.send_signal(signal.SIGSTOP)

    assert child.wait(timeout=5) == -signal.SIGKILL


def test_a_descendant_that_dropped_the_mark_is_ended(spawn: Spawn) -> None:
    with Reaper.start() as reaper:
        parent = spawn(
            "sh", "-c", "env -i sleep 60 & echo $!; wait", environment=reaper.environment
        )
        grandchild = said_pid(parent)
        assert until(lambda: MARK not in grandchild.environ())

    assert until(lambda: has_ended(grandchild))


def test_a_promised_session_is_ended_to_the_last_process(spawn: Spawn) -> None:
    with Reaper.start() as reaper:
        leader = spawn("sh", "-c", "sleep 60 & echo $!; wait", environment={}, new_session=True)
        reaper.end_session(leader.pid)
        member = said_pid(leader)

    assert leader.wait(timeout=5) == -signal.SIGKILL
    assert until(lambda: has_ended(member))


def test_the_session_of_a_reused_process_id_is_left_alone(
    spawn: Spawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Reaper.start() as reaper:
        leader = spawn(environment={}, new_session=True)
        monkeypatch.setattr("brownout.reaper.client.start_of", lambda _pid: 1)
        reaper.end_session(leader.pid)

    assert is_asleep(leader)


def test_unmarked_processes_are_left_alone(spawn: Spawn) -> None:
    with Reaper.start():
        child = spawn(environment={})

    assert is_asleep(child)


def test_another_runs_processes_are_left_alone(spawn: Spawn, reaper: Reaper) -> None:
    with Reaper.start() as other:
        child = spawn(environment=reaper.environment)
        similar = spawn(environment={MARK: other.run + "0"})

    assert is_asleep(child)
    assert is_asleep(similar)


def test_another_runs_processes_below_ours_are_left_alone(spawn: Spawn) -> None:
    reaper = Reaper.start()
    with Reaper.start() as outer:
        inner = (
            f"env -i {MARK}={reaper.run} sh -c 'env -i sleep 60 & echo $!; wait' & echo $!; wait"
        )
        parent = spawn("sh", "-c", inner, environment=outer.environment)
        processes = [said_pid(parent), said_pid(parent)]

    assert parent.wait(timeout=5) == -signal.SIGKILL
    assert not any(has_ended(process) for process in processes)
    reaper.close()
    assert until(lambda: all(has_ended(process) for process in processes))


def test_an_inner_reaper_outlives_the_process_that_it_serves(spawn: Spawn) -> None:
    inner = (
        "import os, subprocess, sys; from brownout.reaper import Reaper; r = Reaper.start();"
        f"child = subprocess.Popen({SLEEP!r}, env={{**os.environ, **r.environment}});"
        "print(child.pid, flush=True); child.wait()"
    )
    with Reaper.start() as outer:
        owner = spawn(sys.executable, "-c", inner, environment=outer.environment)
        grandchild = said_pid(owner)

    assert owner.wait(timeout=5) == -signal.SIGKILL
    assert until(lambda: has_ended(grandchild))


def test_a_dead_runs_processes_are_ended_by_the_next_start(spawn: Spawn) -> None:
    child = spawn(environment={MARK: dead_run().token})
    with Reaper.start():
        assert child.wait(timeout=5) == -signal.SIGKILL


def test_a_reused_process_id_does_not_make_an_owner(spawn: Spawn) -> None:
    reused = replace(Run.current(), started=1)
    child = spawn(environment={MARK: reused.token})
    with Reaper.start():
        assert child.wait(timeout=5) == -signal.SIGKILL


def test_runs_of_another_place_are_left_alone(spawn: Spawn) -> None:
    elsewhere = replace(dead_run(), place="00000000")
    child = spawn(environment={MARK: elsewhere.token})
    with Reaper.start():
        pass

    assert is_asleep(child)


def test_what_is_no_token_is_left_alone(spawn: Spawn) -> None:
    child = spawn(environment={MARK: "1-1-nonsense"})
    with Reaper.start():
        pass

    assert is_asleep(child)


def test_a_token_reads_back() -> None:
    run = Run.current()

    assert Run.parse(run.token) == run
    assert run.token.startswith(f"{os.getpid()}-{run.started}-")
    assert not run.is_over()


def suspended(child: psutil.Process) -> bool:
    """Whether it could be: a session's process, or a worker of autovacuum, may just have ended."""
    try:
        child.suspend()
    except psutil.NoSuchProcess:
        return False
    return True


def test_frozen_orphans_of_a_killed_server_are_ended(backend: EmbeddedBackend) -> None:
    """Nothing marks them: PostgreSQL writes its title over the environment that the kernel shows,
    and the only marked process, their parent, is gone."""
    assert backend._server is not None
    assert backend._server.process is not None
    postmaster = psutil.Process(backend._server.process.pid)
    assert backend._folder is not None
    pidfile = backend._folder / "data" / "postmaster.pid"
    segment = pidfile.read_text("utf-8").splitlines()[6].split()[1]
    assert segment in segments()
    children = [child for child in postmaster.children() if suspended(child)]
    assert len(children) > 2
    postmaster.kill()
    backend._server.process.wait()
    backend._reaper.close()

    assert until(lambda: all(has_ended(child) for child in children))
    assert segment not in segments()
    assert not backend._folder.exists()


def test_semaphores_of_a_pool_of_processes_go_with_it(spawn: Spawn) -> None:
    """Python's own janitor is killed last, so that it can remove them."""
    pool = (
        "import multiprocessing, time; context = multiprocessing.get_context('spawn');"
        "semaphore = context.Semaphore(); print(semaphore._semlock.name, flush=True);"
        "time.sleep(60)"
    )
    with Reaper.start() as reaper:
        child = spawn(sys.executable, "-c", pool, environment=reaper.environment)
        assert child.stdout is not None
        file = Path("/dev/shm") / f"sem.{child.stdout.readline().strip().lstrip('/')}"  # noqa: S108
        assert file.exists()

    assert child.wait(timeout=5) == -signal.SIGKILL
    assert not file.exists()


def test_the_reaper_shrugs_off_what_ends_a_whole_job(spawn: Spawn) -> None:
    reaper = Reaper.start()
    child = spawn(environment=reaper.environment)
    process = psutil.Process(reaper._process.pid)
    assert until(lambda: "poll" in wait_channel(process))
    for what in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process.send_signal(what)
    reaper.close()

    assert child.wait(timeout=5) == -signal.SIGKILL


def test_a_reaper_that_was_killed_is_told() -> None:
    reaper = Reaper.start()
    reaper._process.kill()
    reaper._process.wait()

    with pytest.raises(BrownoutError, match="has died, with exit status -9"):
        reaper.remove_containers()
    reaper.close()


def test_a_reaper_that_was_killed_unnoticed_is_told_in_the_end() -> None:
    reaper = Reaper.start()
    reaper._process.kill()
    reaper._process.wait()

    with pytest.raises(BrownoutError, match="killed by signal 9"):
        reaper.close()


def test_a_reaper_that_cannot_start_is_told_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "site-packages" not in path])
    reaper = Reaper.start()
    reaper._process.wait()

    with pytest.raises(BrownoutError, match="No module named 'psutil'"):
        reaper.remove_containers()


def test_an_owner_hidden_from_us_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mounted with hidepid, /proc does not show other people's processes."""
    run = Run.current()
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.match("/proc/*/stat"):
            raise PermissionError(path)
        return read(path)

    monkeypatch.setattr("brownout.reaper.run.start_of", lambda _pid: None)
    assert run.is_over()
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert not run.is_over()


def test_a_closed_reaper_takes_no_promise() -> None:
    reaper = Reaper.start()
    reaper.close()
    reaper.close()

    with pytest.raises(BrownoutError, match="takes no more promises"):
        reaper.remove_containers()


def wait_channel(process: psutil.Process) -> str:
    return Path(f"/proc/{process.pid}/wchan").read_text("ascii")


def test_the_administrator_s_url_is_not_handed_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWNOUT_POSTGRES", "postgresql://admin:hunter2@db/postgres")
    with Reaper.start() as reaper:
        assert "BROWNOUT_POSTGRES" not in psutil.Process(reaper._process.pid).environ()
