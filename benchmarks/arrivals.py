"""How many arrivals a second each generator sends in time: the built-in, and Locust's load workers.

`make bench-arrivals`. A server in a process of its own takes 100 ms for each answer, as a service
at a slow database does. In time is a load of which 95 in 100 are sent, and 95 in 100 looks at the
clock come, within 50 ms of their moment: the judgements take a later one for an excuse
(`brownout.expectations.overload`). The figures are those of docs/how-to/load.md; nothing is judged.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import psutil

from brownout.distributed.processes import swarm
from brownout.settings.loading import LocustPlace
from brownout.trial.generator import BuiltIn, Generator
from brownout.trial.spread import Spread
from brownout.trial.stage import Stage
from brownout.units import seconds
from tests.core.made import READ, service
from tests.core.peer import Peer, Reply, Request
from tests.trial.staged import staged

__all__ = ["main"]

ROOT: Final = Path(__file__).parents[1]
RATES: Final = (100, 200, 400, 800)
LASTING: Final = 2.0
"""Seconds of arrivals at each rate."""

IN_TIME: Final = 0.05
ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection of the server."""
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.1)
            writer.write(ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def serve() -> None:
    """Print the port, and serve until this process is ended."""
    server = await asyncio.start_server(answering, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def served() -> Iterator[str]:
    """Where the server answers."""
    command = [sys.executable, "-m", "benchmarks.arrivals", "serve"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


async def answered_elsewhere(_: Request) -> Reply:
    """The answer of a peer in this process, which is not asked."""
    raise AssertionError("the server answers")


@asynccontextmanager
async def generator(stage: Stage, workers: int) -> AsyncIterator[Generator]:
    """The built-in, or Locust with so many load workers on this machine."""
    if not workers:
        yield BuiltIn(stage)
        return
    place = LocustPlace("127.0.0.1", 0, workers, elsewhere=False)
    async with swarm(place, key=None, environment={}, within=seconds(60)) as started:
        yield Spread(stage, started, place)


async def measured(url: str, workers: int) -> None:
    """Print a row for each rate."""
    declared = service((READ,), request=seconds(5))
    async with (
        staged(Peer(answered_elsewhere, url), declared) as stage,
        generator(stage, workers) as sending,
    ):
        await sending.send(READ, {"warm-up": [at * 0.01 for at in range(50)]})
        for rate in RATES:
            moments = [number / rate for number in range(int(rate * LASTING))]
            name = f"{rate}"
            await sending.send(READ, {name: moments})
            lags = sorted(stage.phases[name].lags)
            late = lags[int(len(lags) * 0.95)]
            served = sorted(one.elapsed.total_seconds() for one in stage.notes[name])
            ok = sum(one.succeeded for one in stage.notes[name])
            print(
                f"{workers or 'built-in':>8}  {rate:>5}/s  late p95 {late * 1000:7.1f} ms  "
                f"answered {ok}/{len(moments)}  p50 {served[len(served) // 2] * 1000:6.1f} ms  "
                f"{'in time' if late <= IN_TIME else 'late'}",
                flush=True,
            )


def main() -> int:
    """Measure and print."""
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
        return 0
    print(f"{psutil.cpu_count()} cores, {psutil.getloadavg()[0]:.1f} load before")
    with served() as url:
        for workers in (0, 1, 2):
            asyncio.run(measured(url, workers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
