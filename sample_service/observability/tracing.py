"""The trace id: the caller's if it sends one, else a new one."""

import re
import secrets
from typing import Final

__all__ = ["trace_id"]

TRACEPARENT: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
"""W3C Trace Context §3.2: version, trace id, parent id, flags; later versions may append more."""


def trace_id(traceparent: bytes | None) -> str:
    """Return 32 lowercase hexadecimal digits, never all zero."""
    if traceparent is not None and not traceparent.startswith(b"ff"):
        match = TRACEPARENT.fullmatch(traceparent)
        if match and match[1].strip(b"0"):
            return match[1].decode()
    return secrets.token_hex(16)
