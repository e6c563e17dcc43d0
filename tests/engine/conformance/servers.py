"""The two servers that have to agree: the engine, and the real Toxiproxy 2.12.0."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from brownout.control import EngineProcess

__all__ = ["engine", "original", "require_original"]

_IMAGE = os.environ.get("BROWNOUT_TOXIPROXY_IMAGE", "ghcr.io/shopify/toxiproxy:2.12.0")


def _binary() -> str | None:
    return os.environ.get("BROWNOUT_TOXIPROXY_BIN") or shutil.which("toxiproxy-server")


def _image() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    found = subprocess.run(
        [docker, "image", "inspect", _IMAGE], capture_output=True, timeout=60, check=False
    )
    return found.returncode == 0


def require_original() -> None:
    """Skip what compares with the real Toxiproxy where it cannot be had; fail where the run asks
    for containers: CI has its image by then."""
    missing = _why_no_original()
    if missing is None:
        return
    if os.environ.get("BROWNOUT_REQUIRE_DOCKER") == "1":
        pytest.fail(f"BROWNOUT_REQUIRE_DOCKER=1, but {missing}", pytrace=False)
    pytest.skip(missing)


def _why_no_original() -> str | None:
    named = _binary()
    if named is not None:
        return None if Path(named).is_file() else f"BROWNOUT_TOXIPROXY_BIN: no file {named}"
    if _image():
        return None
    return (
        "no real Toxiproxy to compare with: neither BROWNOUT_TOXIPROXY_BIN, nor toxiproxy-server "
        f"on the PATH, nor a Docker engine with the image {_IMAGE}"
    )


@contextlib.contextmanager
def engine() -> Iterator[str]:
    """Ours; its API's address."""
    with EngineProcess.start() as process:
        yield process.address


@contextlib.contextmanager
def original() -> Iterator[str]:
    """The real one, as a process, or in a container on the host's network; its API's address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    named = _binary()
    command = [named] if named else ["docker", "run", "--rm", "--network", "host", _IMAGE]
    process = subprocess.Popen(
        [*command, "-host", "127.0.0.1", "-port", str(port)], stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"Toxiproxy does not listen on {port} within 20 s")
            time.sleep(0.01)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
