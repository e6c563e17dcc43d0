"""A service of two forked workers, each with a session that is idle: `prefork.py PORT HOW`.

The end of that session ends a worker if HOW is "exits". If it is a number, a worker ends by itself
after so many requests, once it has answered them. The parent process replaces whatever has ended.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg

PORT, HOW = int(sys.argv[1]), sys.argv[2]


class Handler(BaseHTTPRequestHandler):
    """Answers each request by a query of 50 ms, on a session of its own."""

    def do_GET(self) -> None:
        """See the class."""
        status = HTTPStatus.OK
        try:
            with psycopg.connect(os.environ["DSN"]) as session:
                session.execute("select pg_sleep(0.05)")
        except psycopg.Error:
            status = HTTPStatus.SERVICE_UNAVAILABLE
            time.sleep(0.3)  # as one who tries again does: requests are under way meanwhile
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
        """Log nothing."""


class Worker(ThreadingHTTPServer):
    """Accepts on the socket that the parent process listens on."""

    daemon_threads = False

    def __init__(self, listening: socket.socket) -> None:
        super().__init__(listening.getsockname(), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.left = int(HOW) if HOW.isdigit() else None

    def process_request(self, request: object, client_address: object) -> None:
        """Count it, too."""
        super().process_request(request, client_address)  # type: ignore[arg-type]
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                threading.Thread(target=self.shutdown).start()


def hold(session: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Wait for the end of an idle session."""
    try:
        for _ in session.notifies():
            pass
    except psycopg.Error:
        if HOW == "exits":
            os.write(2, b"the connection was terminated\n")
            os._exit(70)


def connected() -> "psycopg.Connection[tuple[object, ...]]":
    """A session, as soon as there is a database."""
    while True:
        with suppress(psycopg.Error):
            return psycopg.connect(os.environ["DSN"], autocommit=True)
        time.sleep(0.05)


def work(listening: socket.socket) -> None:
    """Be a worker."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with connected() as session:
        threading.Thread(target=hold, args=[session], daemon=True).start()
        server = Worker(listening)
        server.serve_forever(0.01)
        server.server_close()
    os._exit(0)


def supervise(listening: socket.socket) -> None:
    """Keep two workers running until SIGTERM."""
    workers: list[int] = []

    def stop(*_: object) -> None:
        kill(workers)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    while True:
        while len(workers) < 2:
            worker = os.fork()
            if not worker:
                work(listening)
            workers.append(worker)
        workers.remove(os.wait()[0])


def kill(workers: Sequence[int]) -> None:
    """End the workers."""
    for worker in workers:
        os.kill(worker, signal.SIGTERM)


if __name__ == "__main__":
    supervise(socket.create_server(("127.0.0.1", PORT)))
