"""What readiness says."""

import logging
import os
import threading
import time

import psycopg

from .database import cut_at

log = logging.getLogger("shop")


class Check(threading.Thread):
    """Asks the database again and again, on a connection of its own: a probe need not wait."""

    seen = float("-inf")

    @property
    def passes(self) -> bool:
        """Whether the database has answered within the last second."""
        return time.monotonic() - self.seen < 1

    def run(self) -> None:
        """Ask until the process ends."""
        while True:
            try:
                with psycopg.connect(
                    host=os.environ["DB_HOST"],
                    port=os.environ["DB_PORT"],
                    dbname=os.environ["DB_NAME"],
                    user=os.environ["DB_USER"],
                    password=os.environ["DB_PASSWORD"],
                    connect_timeout=2,
                    autocommit=True,
                ) as connection:
                    while True:
                        with cut_at(time.monotonic() + 0.5, connection):
                            connection.execute("select 1")
                        self.seen = time.monotonic()
                        time.sleep(0.2)
            except psycopg.Error as error:
                log.warning("not ready: %s", str(error).partition("\n")[0])
            time.sleep(0.2)


check = Check(daemon=True)
