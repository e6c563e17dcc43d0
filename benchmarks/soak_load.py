"""Open and close connections at random: `python -m benchmarks.soak_load PORT COUNT SEED`.

Keeps up to COUNT connections open, and opens, sends, half-closes, closes and resets as SEED
decides. Ends when its standard input does. A separate process, so it cannot slow the measurements.
"""

import argparse
import contextlib
import random
import select
import socket
import struct
import sys

__all__ = ["main"]

_LONGEST = 40_000  # bytes of one message
_LINGER_NONE = struct.pack("ii", 1, 0)  # closing sends RST
_STEPS = 100  # between two pauses; without them, most connections would end before accept
_PAUSE = 0.01  # seconds


class _Crowd:
    def __init__(self, port: int, count: int, seed: int) -> None:
        self._port = port
        self._count = count
        self._random = random.Random(seed)  # noqa: S311 (has to be repeatable)
        self._open: list[socket.socket] = []

    def step(self) -> None:
        """Open one more connection if there is room, and use one of them at random."""
        every = self._open
        if len(every) < self._count:
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self._port))  # a refusal shows when the connection is used
            every.append(one)
        place = self._random.randrange(len(every) * 2)
        if place < len(every):
            # Swap with the last, so removing it is cheap.
            every[place], every[-1] = every[-1], every[place]
            if self._use(every[-1]):
                every.pop().close()

    def _use(self, one: socket.socket) -> bool:
        """Do something to the connection; return whether it has ended."""
        with contextlib.suppress(BlockingIOError):
            try:
                match self._random.randrange(12):
                    case 0:
                        return True
                    case 1:
                        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
                        return True
                    case 2:
                        one.shutdown(socket.SHUT_WR)
                    case 3 | 4 | 5 | 6:
                        one.send(b"e" + bytes(self._random.randrange(_LONGEST)))
                    case _:
                        return not one.recv(65536)
            except BlockingIOError:
                raise
            except OSError:
                return True
        return False

    def close(self) -> None:
        """Close all connections."""
        while self._open:
            self._open.pop().close()


def main() -> None:
    """Run until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak_load", description=__doc__)
    for name in ("port", "count", "seed"):
        parser.add_argument(name, type=int)
    options = parser.parse_args()
    crowd = _Crowd(options.port, options.count, options.seed)
    while not select.select([sys.stdin], [], [], _PAUSE)[0]:
        for _ in range(_STEPS):
            crowd.step()
    crowd.close()


if __name__ == "__main__":
    main()
