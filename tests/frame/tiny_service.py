"""The smallest service worth declaring: one read, two probes; `tiny_service.py PORT DSN`."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg

PORT, DSN = int(sys.argv[1]), sys.argv[2]


class Handler(BaseHTTPRequestHandler):
    """Liveness at once; all else asks the database."""

    def do_GET(self) -> None:
        """Answer 200, or 503 where the database does not."""
        status = 200
        if self.path != "/live":
            try:
                with psycopg.connect(DSN, connect_timeout=1) as connection:
                    connection.execute("select 1")
            except psycopg.Error:
                status = 503
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
