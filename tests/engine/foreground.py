"""`brownout proxy` as a process."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from tests.engine.peers import soon

__all__ = ["free_port", "serving"]

START = [
    sys.executable,
    "-c",
    "import sys; from brownout.cli.proxy import main; sys.exit(main())",
]


def free_port() -> int:
    """A port that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def serving(
    *flags: str, environment: Mapping[str, str] | None = None, descriptors: int | None = None
) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """Run `brownout proxy`, with `descriptors` open files at most; its API and the process."""
    port = free_port()
    limited = [] if descriptors is None else ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', ""]
    with subprocess.Popen(
        [*limited, *START, "-port", str(port), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environment or {})},
    ) as process:
        client = httpx.Client(base_url=f"http://localhost:{port}", trust_env=False)

        def answers() -> bool:
            try:
                return client.get("/version").status_code == 200
            except httpx.TransportError:
                return process.poll() is not None

        try:
            assert soon(answers)
            yield client, process
        finally:
            client.close()
            if process.poll() is None:
                process.terminate()
