"""What is compared: the engine, the real Toxiproxy, and no proxy at all."""

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
        api, pid = stack.enter_context(proxy_server([str(toxiproxy_binary())]))
        client = ToxiproxyClient(api)
        proxy = client.create_proxy("bench", upstream)
        theirs = Contender("toxiproxy", proxy.port, client, psutil.Process(pid))
        yield ours, theirs, Contender("direct", int(upstream.rpartition(":")[2]), None, None)
