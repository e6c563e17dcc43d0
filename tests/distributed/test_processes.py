"""Locust's processes: whatever goes wrong with them is told once, and none is left running."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from brownout import BrownoutError, seconds
from brownout.distributed.messages import Ended
from brownout.distributed.processes import swarm
from brownout.service.ports import free_port
from brownout.settings.inherited import importing_this_package
from brownout.settings.loading import LocustPlace
from tests.core.peer import PATIENCE, SILENCE, serving
from tests.distributed.swarms import LOCAL, MARK, WITHIN, of_this, order

ROOT = Path(__file__).parents[2]
KEY = secrets.token_hex(16)
COMMAND = [str(Path(sys.executable).with_name("brownout")), "load-worker"]
MODULE = "brownout.distributed.worker"


@pytest.fixture
def mark() -> str:
    """In the environment of what a test starts."""
    return secrets.token_hex(8)


def elsewhere(workers: int = 1) -> LocustPlace:
    """A master on a port of its own, to which load workers come."""
    return LocustPlace("127.0.0.1", free_port("127.0.0.1"), workers, elsewhere=True)


def environment(mark: str, key: str = KEY) -> dict[str, str]:
    """That of a load worker which comes."""
    return importing_this_package({MARK: mark, "BROWNOUT_LOAD_KEY": key})


def gathered(
    place: LocustPlace, mark: str, meanwhile: Callable[[], None], within: timedelta = WITHIN
) -> None:
    """Call `meanwhile` while the master has its workers."""

    async def gather() -> None:
        async with swarm(place, key=KEY, environment={MARK: mark}, within=within):
            meanwhile()

    asyncio.run(gather())


def children(mark: str) -> list[psutil.Process]:
    """The two load workers that a master has forked."""
    running = of_this(mark)
    found = [one for one in running if one.parent() in running]
    assert len(running) == len(found) + 1 == 3
    return found


def unexpected() -> None:
    """What must not come to pass."""
    pytest.fail("the workers are there")


def wait_until_none_is_left(mark: str) -> None:
    """What ends by itself takes a moment."""
    deadline = time.monotonic() + PATIENCE
    while left := of_this(mark):
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


def test_a_load_worker_that_dies_is_told_and_ends_the_load(mark: str) -> None:
    def dies() -> None:
        (worker, _) = children(mark)
        os.kill(worker.pid, signal.SIGKILL)

    async def load() -> None:
        async with (
            serving(SILENCE) as peer,
            swarm(LOCAL, key=None, environment={MARK: mark}, within=WITHIN) as started,
        ):
            asked = order(peer.url, [0.0] * 10, seconds(PATIENCE))
            await started.carry_out(asked, sent=dies, going_on=lambda: True)

    with pytest.raises(BrownoutError, match="A load worker is gone") as caught:
        asyncio.run(load())
    assert caught.value.tried[0].endswith("ended with exit code -9")
    assert of_this(mark) == []


def test_only_this_machine_reaches_local_processes_and_none_outlives_a_killed_run(
    mark: str,
) -> None:
    code = (
        "import asyncio\n"
        "from brownout.distributed.processes import swarm\n"
        "from tests.distributed.swarms import LOCAL, WITHIN\n"
        "async def main():\n"
        f"    added = {{'{MARK}': '{mark}'}}\n"
        "    async with swarm(LOCAL, key=None, environment=added, within=WITHIN):\n"
        "        print('up', flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        running = [*children(mark), *of_this(mark)]
        (key,) = {one.environ()["BROWNOUT_LOAD_KEY"] for one in running}
        assert len(key) == 32
        assert key not in " ".join(" ".join(one.cmdline()) for one in running)
        listening = {
            socket.laddr.ip
            for one in running
            for socket in one.net_connections()
            if socket.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
        parent.kill()
    wait_until_none_is_left(mark)


def test_a_port_in_use_is_told(mark: str) -> None:
    async def occupied() -> None:
        async with serving() as peer:
            port = int(peer.url.rpartition(":")[2])
            place = LocustPlace("127.0.0.1", port, 1, elsewhere=True)
            async with swarm(place, key=KEY, environment={MARK: mark}, within=WITHIN):
                unexpected()

    with pytest.raises(BrownoutError, match="Locust's master cannot listen on 127") as caught:
        asyncio.run(occupied())
    assert "Address already in use" in caught.value.tried[0]
    assert of_this(mark) == []


def test_load_workers_that_do_not_come_are_counted(mark: str) -> None:
    with pytest.raises(BrownoutError, match=r"Of 2 load workers 0 came within 0\.5 s") as caught:
        gathered(elsewhere(2), mark, unexpected, seconds(0.5))
    assert "brownout load-worker --master" in caught.value.remedy
    assert of_this(mark) == []


OLD = (
    "import runpy, brownout._version\n"
    "brownout._version.__version__ = '0.0.1'\n"
    f"runpy.run_module('{MODULE}', run_name='__main__')\n"
)


@pytest.mark.parametrize(
    ("program", "key", "why"),
    [
        (["-c", OLD], KEY, "it has Brownout 0.0.1, the run "),
        (["-m", MODULE], secrets.token_hex(16), "it has another key"),
    ],
    ids=["version", "key"],
)
def test_a_load_worker_of_another_version_or_key_is_refused_and_both_sides_are_told(
    program: list[str], key: str, why: str, mark: str
) -> None:
    place = elsewhere()
    with subprocess.Popen(
        [sys.executable, *program, place.host, str(place.port)],
        env=environment(mark, key), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as worker:  # fmt: skip
        with pytest.raises(BrownoutError, match="was refused") as caught:
            gathered(place, mark, unexpected)
        assert worker.stderr is not None
        said = worker.stderr.read()
        assert worker.wait() == Ended.REFUSED
    assert why in str(caught.value)
    assert why in said
    assert key not in str(caught.value) + said
    assert of_this(mark) == []


def test_the_command_serves_one_run_after_the_other_until_it_is_told_to_end(mark: str) -> None:
    place = elsewhere()

    async def load() -> None:
        async with (
            serving() as peer,
            swarm(place, key=KEY, environment={MARK: mark}, within=WITHIN) as started,
        ):
            asked = order(peer.url, [0.0] * 3)
            carried = await started.carry_out(asked, sent=lambda: None, going_on=lambda: True)
        assert [one.ending for one in carried.answers] == ["ANSWERED"] * 3

    with subprocess.Popen(
        [*COMMAND, "--master", f"127.0.0.1:{place.port}"],
        env=environment(mark), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    ) as command:  # fmt: skip
        asyncio.run(load())
        asyncio.run(load())
        command.send_signal(signal.SIGTERM)
        said, _ = command.communicate(timeout=PATIENCE)
    assert command.returncode == 0
    waits = f"brownout load-worker: waits for a run at 127.0.0.1:{place.port}\n"
    assert said.startswith(waits * 2)
    assert said.endswith("brownout load-worker: stopped; nothing is left running\n")
    assert of_this(mark) == []


@pytest.mark.parametrize(
    ("words", "key", "expected"),
    [
        (["--master", "127.0.0.1:1"], "", "BROWNOUT_LOAD_KEY is not set"),
        (["--master", "127.0.0.1:1"], "short", "a key of at least 16 letters and digits is needed"),
        (["--master", "http://127.0.0.1:1"], KEY, "a host and a port are needed"),
        ([], KEY, "the following arguments are required: --master"),
    ],
    ids=["no key", "short key", "a URL", "no master"],
)
def test_the_command_says_what_it_lacks(words: list[str], key: str, expected: str) -> None:
    done = subprocess.run(
        [*COMMAND, *words],
        env=environment("", key), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
