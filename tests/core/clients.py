"""Who enters PostgreSQL as the service does."""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic, sleep
from typing import Any, Self

import psycopg

from brownout.postgres import Postgres

__all__ = ["PATIENCE", "Clients", "Connection", "soon"]

PATIENCE = 20.0  # seconds until a test gives up; nothing waits so long when all is well

Connection = psycopg.Connection[tuple[Any, ...]]


class Clients(ExitStack):
    """Opens connections of the service's role, through the engine; closes them all at the end."""

    def __init__(self, postgres: Postgres) -> None:
        super().__init__()
        self._login = postgres.login

    def __enter__(self) -> Self:
        """Nobody is connected yet."""
        return self

    def connect(self) -> Connection:
        """One more connection, in autocommit."""
        connection = psycopg.connect(self._login.dsn, autocommit=True)
        self.callback(connection.close)
        return connection

    def dial(self) -> socket.socket:
        """The same, as far as TCP goes."""
        address = (self._login.address.host, self._login.address.port)
        connection = socket.create_connection(address, timeout=PATIENCE)
        self.callback(connection.close)
        return connection


def soon(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true in time."""
    deadline = monotonic() + PATIENCE
    while not condition():
        if monotonic() > deadline:
            return False
        sleep(0.005)
    return True
