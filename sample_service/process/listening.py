"""Lets several workers share one port evenly.

Workers that accept from one inherited socket race for it, and one of them takes nearly all of a
burst: one of four workers took 32 to 40 of 40 connections while the other three pools were idle.
With SO_REUSEPORT each worker has its own socket, and Linux spreads the connections over them. The
price: a stuck worker still gets its share, and when a worker ends, the connections in its backlog
are reset.
"""

import socket
import sys
from collections.abc import Callable
from typing import Any, Final

__all__ = ["KERNEL_BALANCES", "Port"]

KERNEL_BALANCES: Final = sys.platform == "linux"
"""Whether the kernel spreads connections; elsewhere SO_REUSEPORT gives them all to one socket."""


class Port(socket.socket):
    """A bound socket that does not listen and reserves the port for the workers. Pickling it for a
    worker gives that worker its own socket on the same port.

    `address` is a host and a port; port 0 lets the system choose. Raises `OSError` if the address
    is in use.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        # SO_REUSEPORT alone would silently share the port with another shop of the same user, so
        # this first binds without it.
        with socket.socket(family) as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(address)
            chosen = free.getsockname()
        super().__init__(family)
        _bind(self, chosen)

    def __reduce__(self) -> tuple[Callable[..., socket.socket], tuple[Any, ...]]:
        """Pickle as a call that opens the worker's own socket."""
        return _worker_socket, (self.family, self.getsockname())


def _worker_socket(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    own = socket.socket(family)
    _bind(own, address)
    return own


def _bind(one: socket.socket, address: tuple[Any, ...]) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind(address)
