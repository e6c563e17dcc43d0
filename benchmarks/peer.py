"""The server behind the measured proxies: `python -m benchmarks.peer`.

It offers three services on one port, chosen by the first byte of a connection: `e` echoes what
follows, `s` sends without end, `d` discards what follows. It exits when its standard input ends.
"""

import contextlib
import os
import selectors
import socket
import sys

__all__ = ["main"]

_BLOCK = memoryview(bytes(1 << 20))


class _Peer:
    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._listener.setblocking(False)
        self._modes: dict[socket.socket, bytes] = {}
        self._scratch = bytearray(1 << 18)

    def run(self) -> None:
        print(self._listener.getsockname()[1], flush=True)
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        self._selector.register(self._listener, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fd == 0 and not os.read(key.fd, 64):
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._serve(key.fileobj)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._selector.register(connection, selectors.EVENT_READ)
                self._modes[connection] = b""

    def _serve(self, connection: socket.socket) -> None:
        mode = self._modes[connection]
        try:
            if not mode:
                mode = self._modes[connection] = connection.recv(1)
                if mode == b"s":
                    self._selector.modify(connection, selectors.EVENT_WRITE)
                if mode:
                    return
            elif mode == b"s":
                connection.send(_BLOCK)
                return
            elif mode == b"d":
                # MSG_TRUNC: the kernel drops the bytes without copying them (tcp(7)).
                if connection.recv_into(self._scratch, len(self._scratch), socket.MSG_TRUNC):
                    return
            elif data := connection.recv(65536):
                connection.send(data)
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._selector.unregister(connection)
        connection.close()
        del self._modes[connection]


def main() -> None:
    """Serve until standard input ends."""
    _Peer().run()


if __name__ == "__main__":
    main()
