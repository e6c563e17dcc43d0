"""Connections opened and closed at random under changing toxics: `python -m benchmarks.soak`.

Afterwards the engine must hold what it held before: no descriptor, no task, no growing memory.
Exits with 1 where something leaked. Linux only: descriptors are counted in /proc.
"""

import argparse
import contextlib
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from brownout.engine import EngineClient, EngineProcess
from brownout.errors import ProxyError

__all__ = ["Outcome", "main", "soak"]

_TOXICS: tuple[tuple[str, dict[str, int]], ...] = (
    ("latency", {"latency": 20, "jitter": 20}),
    ("bandwidth", {"rate": 50}),
    ("slicer", {"average_size": 100, "size_variation": 50, "delay": 100}),
    ("slow_close", {"delay": 100}),
    ("timeout", {"timeout": 50}),
    ("reset_peer", {"timeout": 10}),
    ("limit_data", {"bytes": 1000}),
    ("noop", {}),
)
_SETTLE = 20.0  # seconds until everything that was closed has to be gone
_SPARE_PIPES = 16  # ends: the engine keeps some for the next bulk (brownout.engine.relay.pipes)
_GROWTH = 0.10  # share of its memory that the engine may keep: allocators do not give all back


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds."""

    descriptors: int  # without pipes
    pipes: int  # their ends
    threads: int
    megabytes: float

    @classmethod
    def by(cls, process: psutil.Process) -> "Held":
        """At this moment."""
        memory = process.memory_full_info().uss / 1e6
        links = [str(one.readlink()) for one in Path(f"/proc/{process.pid}/fd").iterdir()]
        pipes = sum(1 for link in links if link.startswith("pipe:"))
        return cls(len(links) - pipes, pipes, process.num_threads(), memory)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, and what is left of it."""

    connections: int
    toxics: int
    slowest_call: float
    warm: Held
    after: Held
    open: int

    @property
    def leaks(self) -> list[str]:
        """Each leak in words."""
        found = []
        if self.open:
            found.append(f"{self.open} connections are still open")
        if self.after.descriptors > self.warm.descriptors:
            found.append(f"descriptors: {self.warm.descriptors} → {self.after.descriptors}")
        if self.after.pipes > self.warm.pipes + _SPARE_PIPES:
            found.append(f"pipes: {self.warm.pipes} → {self.after.pipes} ends")
        if self.after.threads > self.warm.threads:
            found.append(f"threads: {self.warm.threads} → {self.after.threads}")
        if self.after.megabytes > self.warm.megabytes * (1 + _GROWTH):
            found.append(f"memory: {self.warm.megabytes:.1f} → {self.after.megabytes:.1f} MB")
        return found


class _Callers(threading.Thread):
    """Keeps a share of the connections: opens, sends, half-closes, closes, resets at random."""

    def __init__(self, port: int, count: int, stop: threading.Event, seed: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._count = count
        self._stop_now = stop
        self._random = random.Random(seed)  # noqa: S311 (has to be repeatable)
        self.opened = 0

    def run(self) -> None:
        """Until stopped."""
        every: list[socket.socket] = []
        while not self._stop_now.is_set():
            if len(every) < self._count:
                with contextlib.suppress(OSError):
                    one = socket.create_connection(("127.0.0.1", self._port), timeout=5)
                    one.setblocking(False)
                    every.append(one)
                    self.opened += 1
            place = self._random.randrange(len(every) * 2 + 1)
            if place < len(every):
                self._use(every, place)
        for one in every:
            one.close()

    def _use(self, every: list[socket.socket], place: int) -> None:
        one = every[place]
        try:
            match self._random.randrange(12):
                case 0:
                    every.pop(place).close()
                case 1:
                    linger = struct.pack("ii", 1, 0)
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    every.pop(place).close()
                case 2:
                    one.shutdown(socket.SHUT_WR)
                case 3 | 4 | 5 | 6:
                    one.send(b"e" + bytes(self._random.randrange(40_000)))
                case _:
                    one.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            if one in every:
                every.remove(one)
            one.close()


def _change(client: EngineClient, draws: random.Random) -> None:
    kind, attributes = draws.choice(_TOXICS)
    name = f"t{draws.randrange(6)}"
    stream = draws.choice(["upstream", "downstream"])
    toxicity = draws.choice([0.1, 0.5, 1.0])
    with contextlib.suppress(ProxyError):  # the name is taken, or it is not there
        if draws.randrange(2):
            client.add_toxic("soak", kind, attributes, stream=stream, name=name, toxicity=toxicity)
        else:
            client.remove_toxic("soak", name)


def soak(engine: EngineProcess, upstream: str, *, connections: int, seconds: float) -> Outcome:
    """Use the engine so; it is warmed up for a third of the time before its holdings are noted: an
    allocator keeps what the busiest moment took, and that has to have come before."""
    client, process = engine.client, psutil.Process(engine.pid)
    proxy = client.create_proxy("soak", upstream)

    def run(duration: float, seed: int) -> tuple[int, int, float]:
        stop = threading.Event()
        callers = [_Callers(proxy.port, connections // 4, stop, seed + n) for n in range(4)]
        for caller in callers:
            caller.start()
        draws = random.Random(seed)  # noqa: S311 (has to be repeatable)
        end, changes, slowest = time.monotonic() + duration, 0, 0.0
        while time.monotonic() < end:
            begin = time.monotonic()
            _change(client, draws)
            slowest = max(slowest, time.monotonic() - begin)
            changes += 1
        stop.set()
        for caller in callers:
            caller.join()
        return sum(caller.opened for caller in callers), changes, slowest

    def settled() -> int:
        client.reset()
        deadline = time.monotonic() + _SETTLE
        while client.counts("soak").open and time.monotonic() < deadline:
            time.sleep(0.05)
        return client.counts("soak").open

    run(seconds / 3, seed=1)
    settled()
    warm = Held.by(process)
    opened, changes, slowest = run(seconds, seed=2)
    left = settled()
    outcome = Outcome(opened, changes, slowest, warm, Held.by(process), left)
    client.delete_proxy("soak")
    return outcome


def main() -> int:
    """Soak and say what leaked; 0 where nothing did."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--connections", type=int, default=2000, help="open at a time")
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with (
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as peer,
        EngineProcess.start() as engine,
    ):
        if peer.stdout is None or peer.stdin is None:
            raise OSError("the peer has no pipes")
        upstream = f"127.0.0.1:{int(peer.stdout.readline())}"
        outcome = soak(engine, upstream, connections=options.connections, seconds=options.seconds)
        peer.stdin.close()
    print(f"{outcome.connections} connections, {outcome.toxics} changes of toxics")
    print(f"slowest call of the API: {outcome.slowest_call * 1e3:.0f} ms")
    print(f"before: {outcome.warm}\nafter:  {outcome.after}")
    for leak in outcome.leaks:
        print(f"LEAK: {leak}")
    return 1 if outcome.leaks else 0


if __name__ == "__main__":
    sys.exit(main())
