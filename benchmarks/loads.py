"""Measurements with plain sockets against one port of 127.0.0.1."""

import contextlib
import selectors
import socket
import time
from collections.abc import Iterator, Sequence

__all__ = ["bulk", "connect_rate", "connections", "percentile", "rate_and_gap", "round_trips"]


@contextlib.contextmanager
def connections(port: int, count: int, mode: bytes) -> Iterator[list[socket.socket]]:
    """Open `count` connections to the peer's service that `mode` selects."""
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(mode)
            opened.append(connection)
        yield opened
    finally:
        for connection in opened:
            connection.close()


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a `share` (0 to 1) of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def bulk(port: int, count: int, duration: float) -> tuple[float, int]:
    """Read as fast as possible for `duration` seconds: (bytes per second, bytes)."""
    scratch = bytearray(1 << 20)
    total = 0
    with connections(port, count, b"s") as opened, selectors.DefaultSelector() as selector:
        for connection in opened:
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ)
        start = time.monotonic()
        end = start + duration
        while time.monotonic() < end:
            for key, _ in selector.select(1):
                ready = key.fileobj
                if isinstance(ready, socket.socket):
                    # MSG_TRUNC drops the bytes in the kernel, so the reader is not the bottleneck.
                    total += ready.recv_into(scratch, len(scratch), socket.MSG_TRUNC)
        return total / (time.monotonic() - start), total


def round_trips(port: int, count: int, *, size: int = 64, pause: float = 0.0) -> list[float]:
    """Seconds of `count` round trips of `size` bytes on one connection, `pause` seconds apart.

    Before them come count / 20 round trips to warm up, which are not returned.
    """
    payload = bytes(size)
    clock = time.perf_counter
    times = []
    with connections(port, 1, b"e") as (connection,):
        for _ in range(count + count // 20):
            if pause:
                time.sleep(pause)
            begin = clock()
            connection.send(payload)
            left = size
            while left:
                left -= len(connection.recv(left))
            times.append(clock() - begin)
    return times[count // 20 :]


def connect_rate(port: int, clients: int, duration: float) -> float:
    """Connections per second; each one sends a byte, reads it back, and closes."""
    done = 0
    with selectors.DefaultSelector() as selector:

        def begin() -> None:
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", port))
            selector.register(connection, selectors.EVENT_WRITE)

        for _ in range(clients):
            begin()
        start = time.monotonic()
        end = start + duration
        while time.monotonic() < end:
            for key, events in selector.select(1):
                connection = key.fileobj
                if not isinstance(connection, socket.socket):
                    continue
                if events & selectors.EVENT_WRITE:
                    connection.send(b"ex")
                    selector.modify(connection, selectors.EVENT_READ)
                    continue
                if connection.recv(1) == b"x":
                    done += 1
                selector.unregister(connection)
                connection.close()
                begin()
        rate = done / (time.monotonic() - start)
        for key in list(selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
    return rate


def rate_and_gap(port: int, duration: float) -> tuple[float, float]:
    """Read one connection for `duration` seconds: (bytes per second, longest gap in seconds)."""
    gaps: list[float] = []
    total = 0
    with connections(port, 1, b"s") as (connection,):
        scratch = bytearray(1 << 20)
        connection.recv_into(scratch)  # skip what was sent before the limit applied
        start = last = time.monotonic()
        while last - start < duration:
            total += connection.recv_into(scratch)
            now = time.monotonic()
            gaps.append(now - last)
            last = now
    return total / (last - start), max(gaps)
