"""What an engine process holds, and whether that has grown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx
import psutil

__all__ = ["Held", "grown"]

_SPARE_PIPES = 16  # pipe ends that the engine keeps for reuse (brownout.engine.relay.pipes)
_SPARE_BLOCKS = 5_000  # for caches; a leak of one object per connection makes ten times as many
# An allocator that keeps the memory of its busiest moment grows in one round and hardly in others;
# a leak grows in every round.
_STEP = 0.05  # a leak if every round adds this share of the memory …
_ARENAS = 2.5  # … and more megabytes than two arenas of Python, which a busier round may take
_JUMP = 1.0  # a leak as well if all rounds together add this share


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds at one moment.

    `descriptors` excludes pipes; `pipes` counts pipe ends. `tasks` and `blocks` (of memory, for
    Python's objects) are exact. `megabytes` is the process's unique memory, including what its
    allocator keeps for reuse.
    """

    descriptors: int
    pipes: int
    threads: int
    tasks: int
    blocks: int
    megabytes: float

    @classmethod
    def by(cls, process: psutil.Process, api: str) -> "Held":
        """Measure `process` now; `api` (`host:port`) offers its runtime metrics."""
        # Close the connection, so it is not counted among the descriptors.
        text = httpx.get(
            f"http://{api}/metrics", headers={"Connection": "close"}, trust_env=False, timeout=30
        ).text
        memory = process.memory_full_info().uss / 1e6
        links = [_link(one) for one in Path(f"/proc/{process.pid}/fd").iterdir()]
        pipes = sum(1 for link in links if link.startswith("pipe:"))
        return cls(
            descriptors=len(links) - pipes,
            pipes=pipes,
            threads=process.num_threads(),
            tasks=_gauge(text, "brownout_tasks"),
            blocks=_gauge(text, "brownout_allocated_blocks"),
            megabytes=memory,
        )

    def exceeds(self, other: "Held") -> bool:
        """Whether it holds more descriptors, threads or tasks; these may take a moment to go."""
        return (
            self.descriptors > other.descriptors
            or self.threads > other.threads
            or self.tasks > other.tasks
        )


def _link(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except FileNotFoundError:
        return ""  # closed since it was listed


def _gauge(text: str, name: str) -> int:
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"/metrics lacks {name}.")
    return int(float(found[1]))


def grown(fresh: Held, rounds: Sequence[Held]) -> list[str]:
    """Describe each kind of growth, from a `fresh` engine over `rounds` of the same work.

    Descriptors, threads and tasks must not exceed the fresh engine's. Memory is compared with the
    first round, the warm-up: it leaks if it grows in every round, or to twice as much. Objects are
    counted exactly, so the limit on memory is for large buffers only.
    """
    warm, after = rounds[0], rounds[-1]
    found = [
        f"{kind}: {before} → {now}"
        for kind, before, now, spare in (
            ("descriptors", fresh.descriptors, after.descriptors, 0),
            ("pipes", fresh.pipes, after.pipes, _SPARE_PIPES),
            ("threads", fresh.threads, after.threads, 0),
            ("tasks", fresh.tasks, after.tasks, 0),
            ("blocks of memory", warm.blocks, after.blocks, _SPARE_BLOCKS),
        )
        if now > before + spare
    ]
    megabytes = [one.megabytes for one in rounds]
    least = min(later - earlier for earlier, later in pairwise(megabytes))
    step = max(warm.megabytes * _STEP, _ARENAS)
    if least > step or after.megabytes - warm.megabytes > warm.megabytes * _JUMP:
        found.append(f"memory: {' → '.join(f'{one:.1f}' for one in megabytes)} MB")
    return found
