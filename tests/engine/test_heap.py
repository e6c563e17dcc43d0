"""What is free goes back, however small what stays between it is."""

import platform
import subprocess
import sys

import pytest

from brownout.engine.heap import give_back

_PROGRAM = """
import psutil
from brownout.engine.heap import give_back
buffers, stay = [], []
for number in range(1000):
    buffers.append(b"x" * 60_000)  # too few for glibc to map each by itself
    stay.append(bytes([number % 255]) * 1_000)  # too many for Python's own allocator
held = psutil.Process().memory_full_info().uss
buffers.clear()
freed = psutil.Process().memory_full_info().uss
give_back()
print(held, freed, psutil.Process().memory_full_info().uss)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc_trim(3) is glibc's")
def test_holes_in_the_heap_are_given_back() -> None:
    """In a process of its own, whose heap has no other holes."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True)
    held, freed, given_back = map(int, done.stdout.split())
    buffers = 1000 * 60_000
    assert held - freed < 0.2 * buffers  # the control: by itself the C library keeps them
    assert freed - given_back > 0.8 * buffers


def test_nothing_happens_without_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brownout.engine.heap._TRIM", None)
    give_back()
