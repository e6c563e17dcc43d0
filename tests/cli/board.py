"""A notice board that another team might have written: http.server and psycopg, no framework.

`board.py PORT`; the database is in libpq's variables. The words of BOARD change what it does.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Semaphore

import psycopg

WORDS = frozenset(os.environ.get("BOARD", "").split())
POOL = Semaphore(3)
TOKEN = "let-me-in-4711"  # noqa: S105 - it opens a board
ADMITTED = [12]  # requests before the limiter refuses


def migrate() -> None:
    """Create the table, and the extension that BOARD asks for as extension=…"""
    with psycopg.connect("") as connection:
        for word in WORDS:
            if word.startswith("extension="):
                connection.execute(f'create extension "{word.partition("=")[2]}"'.encode())
        connection.execute(
            "create table if not exists notes (id bigserial primary key, author text, text text)"
        )


class Board(BaseHTTPRequestHandler):
    """GET and POST /notes; /live and /ready."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """The newest notes, or a health answer."""
        if self.path in ("/live", "/ready"):
            self.answer(200, {"status": "pass"})
        elif not self.admitted():
            self.answer(401, {"type": "about:blank", "title": "Log in", "status": 401})
        elif self.path == "/notes":
            self.answer(200, self.notes())
        else:
            self.answer(404, {"type": "about:blank", "title": "Not Found", "status": 404})

    def notes(self) -> list[dict[str, str]]:
        """The newest notes, or all."""
        if "stored" in WORDS:
            return []
        if "endless" in WORDS:
            return self.query("select author, text from notes")
        return self.query("select author, text from notes order by id desc limit 5")

    def do_POST(self) -> None:
        """Put a note up."""
        note = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/login":
            self.answer(200, {"access_token": TOKEN})
        elif not self.admitted():
            self.answer(401, {"type": "about:blank", "title": "Log in", "status": 401})
        elif "limiter" in WORDS and self.refused():
            self.answer(429, {"type": "about:blank", "title": "Too many", "status": 429})
        elif "author" not in note:
            self.answer(422, {"type": "about:blank", "title": "No author", "status": 422})
        elif "stored" in WORDS:
            self.answer(201, note)
        else:
            for _ in range(2 if "twice" in WORDS else 1):
                self.query(
                    "insert into notes (author, text) values (%s, %s) returning author, text",
                    note["author"],
                    note.get("text", ""),
                )
            self.answer(201, note)

    def query(self, sql: str, *values: str) -> list[dict[str, str]]:
        """One statement on a connection of its own, three at once."""
        with POOL, psycopg.connect("") as connection:
            rows = connection.execute(sql.encode(), values).fetchall()
        return [{"author": author, "text": text} for author, text in rows]

    def admitted(self) -> bool:
        """Whether the caller has logged in, or need not."""
        return "members" not in WORDS or self.headers["Authorization"] == f"Bearer {TOKEN}"

    def refused(self) -> bool:
        """Whether the limiter is used up."""
        ADMITTED[0] -= 1
        return ADMITTED[0] < 0

    def answer(self, status: int, body: object) -> None:
        """Send JSON, or text where BOARD says so."""
        content = json.dumps(body).encode()
        kind = "application/problem+json" if status >= 400 else "application/json"
        if "text-errors" in WORDS and status >= 400:
            kind, content = "text/plain", b"no"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    if sys.argv[1] == "migrate":
        migrate()
    else:
        ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Board).serve_forever()
