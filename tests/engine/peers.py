"""Both ends of a proxied connection in one test's hands."""

import contextlib
import errno
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

from brownout.control import ProxyRecord

__all__ = ["PATIENCE", "Upstream", "connect", "echoing", "ending", "read", "reset", "soon"]

PATIENCE = 10.0  # seconds until a test gives up; nothing waits so long when all is well


class Upstream:
    """A listener whose accepted ends a test takes one by one."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listener.settimeout(PATIENCE)
        self._accepted: list[socket.socket] = []
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def accept(self) -> socket.socket:
        """The next connection from the proxy."""
        connection, _ = self._listener.accept()
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._accepted.append(connection)
        return connection

    def stop_listening(self) -> None:
        """From now on it refuses."""
        self._listener.close()

    def close(self) -> None:
        """Close the listener and every end that was taken."""
        for connection in (self._listener, *self._accepted):
            connection.close()


@contextlib.contextmanager
def echoing() -> Iterator[str]:
    """An upstream that sends everything back, half-closes included; its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE)


def connect(proxy: ProxyRecord) -> socket.socket:
    """A client of the proxy."""
    client = socket.create_connection((proxy.host, proxy.port), timeout=PATIENCE)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def read(connection: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes, or fewer where the connection ended before."""
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(1 << 20, size - len(parts)))
        if not part:
            break
        parts += part
    return bytes(parts)


def ending(connection: socket.socket, *, within: float = PATIENCE) -> str:
    """How the connection ends: `fin`, `rst`, or `open` where it does not end `within` seconds."""
    connection.settimeout(within)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return "open"
    except OSError as error:
        return "rst" if error.errno in (errno.ECONNRESET, errno.EPIPE) else str(error)
    return "fin"


def reset(connection: socket.socket) -> None:
    """Close with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def soon(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
