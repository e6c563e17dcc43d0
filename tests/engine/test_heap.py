"""What is free goes back, however small what stays between it is."""

import platform

import psutil
import pytest

from brownout.engine.heap import give_back

_BUFFER = 60_000  # bytes: too few for glibc to map each by itself
_SMALL = 1_000  # bytes: too many for Python's own allocator


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc_trim(3) is glibc's")
def test_holes_in_the_heap_are_given_back() -> None:
    process = psutil.Process()
    buffers, stay = [], []
    for number in range(1000):
        buffers.append(b"x" * _BUFFER)
        stay.append(bytes([number % 255]) * _SMALL)
    buffers.clear()
    before = process.memory_full_info().uss
    give_back()
    assert before - process.memory_full_info().uss > 0.8 * 1000 * _BUFFER
    assert len(stay) == 1000


def test_nothing_happens_without_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    give_back()
