"""The trace id: the caller's where it sends one, else a new one."""

import re
import secrets
from collections.abc import Iterable
from typing import Final

__all__ = ["trace_id"]

TRACEPARENT: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
"""W3C Trace Context §3.2: version, trace id, parent id, flags; later versions may append."""


def trace_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """32 lowercase hexadecimal digits, never all zero."""
    for name, value in headers:
        if name == b"traceparent":
            match = TRACEPARENT.fullmatch(value)
            if match and not value.startswith(b"ff") and match[1].strip(b"0"):
                return match[1].decode()
    return secrets.token_hex(16)
