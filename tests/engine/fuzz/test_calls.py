"""No call ends the engine, holds it up, or gets a server error."""

import contextlib
import socket

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from tests.engine.fuzz.conftest import Target
from tests.engine.fuzz.effort import examples
from tests.engine.fuzz.inputs import CALLS, LINES, Call
from tests.engine.peers import PATIENCE

_ANSWERS = {200, 201, 204, 400, 403, 404, 405, 409}


def _answered(method: str, path: str, answer: httpx.Response) -> None:
    # As by Toxiproxy, an address that cannot be bound is a 500 with a reason in Go's words.
    if answer.status_code == 500:
        assert answer.json()["error"].startswith("listen tcp"), (method, path, answer.text)
    else:
        assert answer.status_code in _ANSWERS, (method, path, answer.status_code, answer.text)


@examples(40)
@given(CALLS)
@example([[("POST", "/proxies", b'{"name": "a", "upstream": "a..b:80", "listen": "a..b:80"}')]])
@example(
    [[("POST", "/proxies", b'{"name": "\\ud800", "upstream": "x:1"}'), ("GET", "/proxies", b"")]]
)
def test_calls(target: Target, variants: list[list[Call]]) -> None:
    for calls in variants:
        target.count("calls", len(calls))
        for method, path, body in calls:
            url = f"http://127.0.0.1:{target.port}{path if path.startswith('/') else '/*'}"
            _answered(method, path, target.api.request(method, url, content=body))
        target.clear()
    target.alive()


@examples(60)
@given(LINES, st.booleans())
@example(
    [[(b"GET /version HTTP/1.1",), (b"Upgrade: websocket",), (b"Connection: upgrade",), (b"",)]],
    False,
)
def test_requests(target: Target, variants: list[list[tuple[bytes]]], reset: bool) -> None:
    for lines in variants:
        target.count("requests")
        with (
            socket.create_connection(("127.0.0.1", target.port), timeout=PATIENCE) as caller,
            contextlib.suppress(OSError),
        ):
            caller.sendall(b"\r\n".join(line for (line,) in lines))
            if reset:
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            else:
                caller.shutdown(socket.SHUT_WR)
    target.alive()
