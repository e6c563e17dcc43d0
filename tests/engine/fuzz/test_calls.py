"""No call ends the engine, holds it up, or gets a server error."""

import contextlib
import socket

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from tests.engine.fuzz.conftest import Target
from tests.engine.fuzz.effort import examples
from tests.engine.fuzz.inputs import BODIES, PATHS
from tests.engine.peers import PATIENCE

_METHODS = st.sampled_from(["GET", "POST", "POST", "POST", "PATCH", "DELETE", "PUT", "HEAD"])
_ANSWERS = {200, 201, 204, 400, 403, 404, 405, 409}
_CALLS = st.lists(st.tuples(_METHODS, PATHS, BODIES), min_size=1, max_size=20)


def _answered(method: str, path: str, answer: httpx.Response) -> None:
    # As by Toxiproxy, an address that cannot be bound is a 500 with a reason in Go's words.
    if answer.status_code == 500:
        assert answer.json()["error"].startswith("listen tcp"), (method, path, answer.text)
    else:
        assert answer.status_code in _ANSWERS, (method, path, answer.status_code, answer.text)


@examples(40)
@given(_CALLS)
@example([("POST", "/proxies", b'{"name": "a", "upstream": "a..b:80", "listen": "a..b:80"}')])
@example(
    [("POST", "/proxies", b'{"name": "\\ud800", "upstream": "x:1"}'), ("GET", "/proxies", b"")]
)
def test_calls(target: Target, calls: list[tuple[str, str, bytes]]) -> None:
    target.count("calls", len(calls))
    for method, path, body in calls:
        url = f"http://127.0.0.1:{target.port}{path if path.startswith('/') else '/*'}"
        _answered(method, path, target.api.request(method, url, content=body))
    target.alive()
    target.clear()


_LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [b"GET /version HTTP/1.1", b"POST /reset HTTP/1.0", b"Host: a", b"Host:", b"Host: [",
             b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 9999999999999999999",
             b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"Upgrade: websocket",
             b"Connection: upgrade", b"", b"", b"5", b"hello", b"0", b"Origin: x", b"\0"]
        ),
        st.binary(max_size=30),
    ),
    max_size=12,
)  # fmt: skip


@examples(60)
@given(_LINES, st.booleans())
@example([b"GET /version HTTP/1.1", b"Upgrade: websocket", b"Connection: upgrade", b""], False)
def test_requests(target: Target, lines: list[bytes], reset: bool) -> None:
    target.count("requests")
    with (
        socket.create_connection(("127.0.0.1", target.port), timeout=PATIENCE) as caller,
        contextlib.suppress(OSError),
    ):
        caller.sendall(b"\r\n".join(lines))
        if reset:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        else:
            caller.shutdown(socket.SHUT_WR)
    target.alive()
