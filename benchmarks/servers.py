"""Processes that run for the length of a benchmark."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

__all__ = ["peer", "proxy_server"]

_START = 15.0  # seconds for a server to start listening


@contextlib.contextmanager
def peer() -> Iterator[str]:
    """Run the server behind the proxies (`benchmarks.peer`); yields its `host:port`."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.peer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdout is None or process.stdin is None:
            raise OSError("The peer has no pipes.")
        yield f"127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


@contextlib.contextmanager
def proxy_server(command: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Run a proxy that takes Toxiproxy's flags; yields its API's address and its process id.

    Exits with a message if the proxy does not listen in time.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*command, "-host", "127.0.0.1", "-port", str(port)],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "LOG_LEVEL": "error"},
    )
    try:
        deadline = time.monotonic() + _START
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(
                    f"{command[0]} does not listen on port {port}.\n"
                    f"Tried: for {_START:.0f} s, while it ran\n"
                    "What to do: read its output above."
                )
            time.sleep(0.05)
        yield f"127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()
