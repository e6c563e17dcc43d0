"""What is compared: the engine, the real Toxiproxy, and no proxy at all."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from brownout.engine import EngineProcess, ToxiproxyClient

__all__ = ["Contender", "contenders", "toxiproxy_binary"]


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to the peer: its control client and its process, where it has any."""

    name: str
    port: int
    client: ToxiproxyClient | None
    process: psutil.Process | None

    def cpu(self) -> float:
        """CPU seconds that it has used so far."""
        if self.process is None:
            return 0.0
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> int:
        """Bytes of memory that are its own."""
        return int(self.process.memory_full_info().uss) if self.process is not None else 0


def toxiproxy_binary() -> Path:
    """The real Toxiproxy: BROWNOUT_TOXIPROXY_BIN, or `toxiproxy-server` on the PATH."""
    named = os.environ.get("BROWNOUT_TOXIPROXY_BIN") or shutil.which("toxiproxy-server")
    if not named or not Path(named).is_file():
        sys.exit(
            "The real Toxiproxy is needed to compare with.\n"
            "Tried: BROWNOUT_TOXIPROXY_BIN, `toxiproxy-server` on the PATH\n"
            "What to do: CGO_ENABLED=0 go install "
            "github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0, and name the binary."
        )
    return Path(named)


@contextlib.contextmanager
def contenders(upstream: str) -> Iterator[tuple[Contender, Contender, Contender]]:
    """The engine, Toxiproxy and the direct way, all leading to `upstream` (`host:port`)."""
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(EngineProcess.start())
        proxy = engine.client.create_proxy("bench", upstream)
        ours = Contender("ours", proxy.port, engine.client, psutil.Process(engine.pid))
        process, client = stack.enter_context(_toxiproxy())
        proxy = client.create_proxy("bench", upstream)
        theirs = Contender("toxiproxy", proxy.port, client, psutil.Process(process.pid))
        yield ours, theirs, Contender("direct", int(upstream.rpartition(":")[2]), None, None)


@contextlib.contextmanager
def _toxiproxy() -> Iterator[tuple[subprocess.Popen[bytes], ToxiproxyClient]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [toxiproxy_binary(), "-host", "127.0.0.1", "-port", str(port)],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "LOG_LEVEL": "error"},
    )
    client = ToxiproxyClient(f"127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            if time.monotonic() > deadline:
                sys.exit(f"Toxiproxy does not listen on {port} within 10 s.")
        yield process, client
    finally:
        process.terminate()
        process.wait()
