"""The contenders: the engine, the real Toxiproxy, and a direct connection."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.servers import proxy_server
from brownout.control import EngineProcess, ToxiproxyClient

__all__ = ["Contender", "contenders", "toxiproxy_binary"]


@dataclass(frozen=True, slots=True)
class Contender:
    """A port that leads to the peer; for a proxy also its control client and its process."""

    name: str
    port: int
    client: ToxiproxyClient | None
    process: psutil.Process | None

    def cpu(self) -> float:
        """CPU seconds that the proxy has used so far."""
        if self.process is None:
            return 0.0
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> int:
        """The proxy's unique memory (USS) in bytes."""
        return int(self.process.memory_full_info().uss) if self.process is not None else 0


def toxiproxy_binary() -> Path:
    """Find the real Toxiproxy: BROWNOUT_TOXIPROXY_BIN, or `toxiproxy-server` on the PATH."""
    named = os.environ.get("BROWNOUT_TOXIPROXY_BIN") or shutil.which("toxiproxy-server")
    if not named or not Path(named).is_file():
        sys.exit(
            "The benchmark needs the real Toxiproxy, which was not found.\n"
            "Tried: BROWNOUT_TOXIPROXY_BIN, `toxiproxy-server` on the PATH\n"
            "What to do: CGO_ENABLED=0 go install "
            "github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0, and set BROWNOUT_TOXIPROXY_BIN."
        )
    return Path(named)


@contextlib.contextmanager
def contenders(upstream: str) -> Iterator[tuple[Contender, Contender, Contender]]:
    """Start the engine and Toxiproxy in front of `upstream` (`host:port`)."""
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(EngineProcess.start())
        proxy = engine.client.create_proxy("bench", upstream)
        ours = Contender("ours", proxy.port, engine.client, psutil.Process(engine.pid))
        api, pid = stack.enter_context(proxy_server([str(toxiproxy_binary())]))
        client = ToxiproxyClient(api)
        proxy = client.create_proxy("bench", upstream)
        theirs = Contender("toxiproxy", proxy.port, client, psutil.Process(pid))
        yield ours, theirs, Contender("direct", int(upstream.rpartition(":")[2]), None, None)
