"""Transactions that end by the request's deadline, and are tried again where that is safe."""

import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import DatabaseError, connection, transaction

Result = TypeVar("Result")


places = threading.BoundedSemaphore(20)
"""Half of gunicorn's threads: the others answer what needs no database."""


class Busy(Exception):
    """Too many requests wait for the database."""


class Undetermined(Exception):
    """COMMIT was sent, and its reply never came."""


def sqlstate(error: BaseException | None) -> str:
    """The SQLSTATE of an error of the database, or nothing."""
    cause = error.__cause__ if isinstance(error, DatabaseError) else error
    return str(getattr(cause, "sqlstate", None) or "")


@contextmanager
def cut_at(until: float, driver: Any) -> Iterator[None]:
    """Shut the connection's socket down at that moment: psycopg itself waits for ever."""
    with socket.socket(fileno=os.dup(driver.fileno())) as end:
        left = max(0, until - time.monotonic())
        timer = threading.Timer(left, end.shutdown, [socket.SHUT_RDWR])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _once(until: float, work: Callable[[], Result], *, writes: bool) -> Result:
    connection.ensure_connection()
    committing = False
    try:
        with cut_at(until, connection.connection), transaction.atomic():
            result = work()
            committing = True
    except DatabaseError as error:
        state = sqlstate(error)
        if state == "25006":  # the server was demoted: the pool is to replace this connection
            connection.connection.close()
        if committing and writes and not state.startswith(("23", "40")):
            raise Undetermined from error
        raise
    return result


class Retries:
    """A transaction that met another one is tried again, within the deadline and a budget: each
    request earns a tenth of a retry."""

    def __init__(self) -> None:
        self._saved = 5.0

    def run(self, until: float, work: Callable[[], Result], *, writes: bool) -> Result:
        """Do the work in a transaction, at most three times."""
        self._saved = min(5.0, self._saved + 0.1)
        for attempt in (1, 2, 3):
            if not places.acquire(blocking=False):
                raise Busy("too many requests wait for the database")
            try:
                return _once(until, work, writes=writes)
            except DatabaseError as error:
                again = sqlstate(error) in {"40001", "40P01"}
                pause = random.uniform(0.5, 1) * 0.02 * 2**attempt  # noqa: S311 - no secret
                if not again or attempt == 3 or self._saved < 1:
                    raise
                if time.monotonic() + pause > until:
                    raise
            finally:
                places.release()
            self._saved -= 1
            time.sleep(pause)
        raise AssertionError


retries = Retries()
