"""A service with a weakness: `frail.py PORT DSN WEAKNESS`. It keeps its connections for the next
request, so a fault of a moment meets them; one that failed is closed."""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg

PORT, DSN, WEAKNESS = int(sys.argv[1]), sys.argv[2], sys.argv[3]
TOMB = Path(sys.argv[4]) if len(sys.argv) > 4 else None
STUCK = threading.Event()
FREE: list[psycopg.Connection[tuple[object, ...]]] = []


def weak(error: psycopg.Error) -> None:
    """What becomes of the service where its database fails."""
    if WEAKNESS in {"mortal", "dead"}:
        if TOMB is not None:
            TOMB.touch()
        sys.stderr.write(f"no use without {DSN}: {type(error).__name__}\n")
        sys.stderr.flush()
        os._exit(70)
    elif WEAKNESS == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif WEAKNESS == "stuck":
        STUCK.set()


def run(statement: str, values: tuple[str, ...]) -> None:
    """Run it on a connection that is free, or a new one."""
    try:
        connection = FREE.pop()
    except IndexError:
        connection = psycopg.connect(DSN, autocommit=True)
    try:
        connection.execute(statement, values)
    except psycopg.Error:
        connection.close()
        raise
    FREE.append(connection)


class Handler(BaseHTTPRequestHandler):
    """Liveness at once; all else asks the database."""

    def do_GET(self) -> None:
        """Answer 200, or 503 where the database does not."""
        self.answer("select 1")

    def do_POST(self) -> None:
        """Write the token down."""
        self.answer("insert into things values (%s)", self.path.rpartition("/")[2])

    def answer(self, statement: str, *values: str) -> None:
        """Run the statement, except for liveness."""
        status = 503 if STUCK.is_set() else 200
        if self.path != "/live":
            try:
                run(statement, values)
            except psycopg.Error as error:
                weak(error)
                status = 503
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Many may come at once, and a request that hangs keeps nothing alive."""

    request_queue_size = 128
    daemon_threads = True


if __name__ == "__main__":
    if TOMB is not None and TOMB.exists():
        sys.exit("it does not come back")
    run("create table if not exists things (token text)", ())
    print("up", DSN, flush=True)
    Server(("127.0.0.1", PORT), Handler).serve_forever()
