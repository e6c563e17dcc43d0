"""A core that several programs want."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

__all__ = ["BUSY", "CORE", "rivals", "running"]

BUSY = "while True: pass"
CORE = min(os.sched_getaffinity(0))
_RIVALS = 5


@contextmanager
def running(code: str, *, core: int = CORE) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python process on one core."""
    command = [sys.executable, "-S", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            os.sched_setaffinity(process.pid, {core})
            yield process
        finally:
            process.kill()


@contextmanager
def rivals() -> Iterator[None]:
    """Programs that want the whole of that core."""
    with ExitStack() as stack:
        for _ in range(_RIVALS):
            stack.enter_context(running(BUSY))
        yield
