"""How several workers share one port, so that each gets its share of a crowd.

Workers that accept from one inherited socket race for it, and one of them takes nearly all of a
burst: 32 to 40 of 40 connections were seen at one of four workers, with the other three pools idle.
With SO_REUSEPORT each has a socket of its own, and Linux spreads the connections over them. The
price: a worker that is stuck goes on getting its share, and those that wait to be accepted by a
worker that ends are reset with it.
"""

import socket
import sys
from collections.abc import Callable
from typing import Any, Final

__all__ = ["SPREADS", "Port"]

SPREADS: Final = sys.platform == "linux"
"""Whether the system spreads; elsewhere SO_REUSEPORT gives all connections to one socket."""


class Port(socket.socket):
    """A bound socket that does not listen: it keeps the port for the workers. Each that is handed
    it gets a socket of its own, on the same port.

    `address` is a host and a port; port 0 lets the system choose. Raises `OSError` where somebody
    else listens there.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        # SO_REUSEPORT alone would silently share the port with another shop of the same user.
        with socket.socket(family) as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(address)
            chosen = free.getsockname()
        super().__init__(family)
        _bind(self, chosen)

    def __reduce__(self) -> tuple[Callable[..., socket.socket], tuple[Any, ...]]:
        """What a worker makes of it."""
        return _of_a_worker, (self.family, self.getsockname())


def _of_a_worker(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    own = socket.socket(family)
    _bind(own, address)
    return own


def _bind(one: socket.socket, address: tuple[Any, ...]) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind(address)
