"""Messages of both directions, written by hand."""

import struct

__all__ = [
    "CANCEL", "EXECUTE", "FLUSH", "GSSENC_REQUEST", "SSL_REQUEST", "SYNC", "bind", "close",
    "complete", "describe", "error", "message", "parse", "query", "ready", "startup",
]  # fmt: skip

SSL_REQUEST = struct.pack(">II", 8, 80877103)
GSSENC_REQUEST = struct.pack(">II", 8, 80877104)
CANCEL = struct.pack(">IIII", 16, 80877102, 4711, 42)


def message(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack(">I", len(body) + 4) + body


def startup(version: int = 3 << 16, **parameters: str) -> bytes:
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    return struct.pack(">II", len(body) + 8, version) + body


def parse(sql: str, name: str = "") -> bytes:
    return message("P", f"{name}\0{sql}\0".encode() + b"\0\0")


def bind(name: str = "", portal: str = "") -> bytes:
    return message("B", f"{portal}\0{name}\0".encode() + b"\0\0\0\1\0\0\0\6secret\0\0")


def execute(portal: str = "") -> bytes:
    return message("E", f"{portal}\0".encode() + b"\0\0\0\0")


def describe(what: str = "S", name: str = "") -> bytes:
    return message("D", f"{what}{name}\0".encode())


def close(what: str = "S", name: str = "") -> bytes:
    return message("C", f"{what}{name}\0".encode())


def query(sql: str) -> bytes:
    return message("Q", sql.encode() + b"\0")


def complete(tag: str) -> bytes:
    return message("C", tag.encode() + b"\0")


def ready(status: str = "I") -> bytes:
    return message("Z", status.encode())


def error(sqlstate: str, text: str = "no") -> bytes:
    return message("E", f"SERROR\0VERROR\0C{sqlstate}\0M{text}\0\0".encode())


EXECUTE = execute()
SYNC = message("S")
FLUSH = message("H")
