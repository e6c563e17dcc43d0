"""Waiting for a condition, and looking for what a run left behind."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

import psutil

from brownout.reaper.run import Run

PLACES = (Path("/dev/shm"), Path("/var/tmp"), Path(tempfile.gettempdir()))  # noqa: S108


def until(condition: Callable[[], bool], *, within: float = 20.0, every: float = 0.01) -> bool:
    """Look for the condition `every` so many seconds; False where it does not come true in
    `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def has_ended(process: psutil.Process) -> bool:
    """Whether it has; an orphan may stay a zombie where the first process of a container reaps
    nobody."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def processes(token: str) -> dict[psutil.Process, list[str]]:
    """Every process of the run (the reaper too), with its command line."""
    found = {}
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            facts = [*command, process.cwd(), *process.environ().values()]
        except psutil.Error:
            continue
        if any(token in fact for fact in facts):
            found[process] = command
    return found


def leftovers(token: str, *more_places: Path) -> list[str]:
    """Every process and folder of the run, as text."""
    found = [f"process {process.pid}: {words}" for process, words in processes(token).items()]
    for place in {*PLACES, *more_places}:
        found += [str(path) for path in place.glob(f"*{token}*")]
    return found


@cache
def dead_run() -> Run:
    """A run of this place whose owner has exited."""
    script = "from brownout.reaper.run import Run; print(Run.current().token)"
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    run = Run.parse(said.strip())
    assert run is not None
    return run


def segments(creators: Collection[int] | None = None) -> set[str]:
    """The ids of the machine's System V shared memory segments; those that one of these processes
    has made, where some are given."""
    rows = Path("/proc/sysvipc/shm").read_text("ascii").splitlines()[1:]
    columns = [row.split() for row in rows]  # key shmid perms size cpid lpid nattch …
    return {row[1] for row in columns if creators is None or int(row[4]) in creators}
