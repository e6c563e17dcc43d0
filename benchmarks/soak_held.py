"""What an engine holds, by itself and by the kernel, and whether that has grown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx
import psutil

__all__ = ["Held", "grown"]

_SPARE_PIPES = 16  # ends: the engine keeps some for the next bulk (brownout.engine.relay.pipes)
_SPARE_BLOCKS = 5_000  # caches; a leak of one object a connection makes ten times as many
# An allocator that keeps its busiest moment adds much in one round and next to nothing in another;
# a leak adds to every round.
_STEP = 0.05  # share of its memory that every round adds …
_JUMP = 1.0  # … or that is there more in the end: either is a leak


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds at one moment.

    `descriptors` are counted without pipes, `pipes` are ends. `tasks` and `blocks` (of memory, for
    Python's objects) are exact; `megabytes` are those that the kernel has given to it alone, with
    what its allocator keeps for the next time.
    """

    descriptors: int
    pipes: int
    threads: int
    tasks: int
    blocks: int
    megabytes: float

    @classmethod
    def by(cls, process: psutil.Process, api: str) -> "Held":
        """At this moment; `api` (`host:port`) offers `/metrics` of the runtime."""
        # Each look by a connection of its own, which is closed when the descriptors are counted.
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
        """Whether there is more of what has to go at once, but needs a moment to be gone."""
        return (
            self.descriptors > other.descriptors
            or self.threads > other.threads
            or self.tasks > other.tasks
        )


def _link(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except FileNotFoundError:
        return ""  # closed since it was listed; the next look will not count it


def _gauge(text: str, name: str) -> int:
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"/metrics does not say {name}")
    return int(float(found[1]))


def grown(fresh: Held, rounds: Sequence[Held]) -> list[str]:
    """Each kind of growth in words, from a `fresh` engine over `rounds` of the same work.

    Descriptors, threads and tasks have to be as few as at first. Memory is compared with what the
    first round has left, the warm-up, and only what grows on is a leak: with every round, or to
    twice as much. Objects are counted exactly, so that this is about large buffers alone.
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
    if least > warm.megabytes * _STEP or after.megabytes - warm.megabytes > warm.megabytes * _JUMP:
        found.append(f"memory: {' → '.join(f'{one:.1f}' for one in megabytes)} MB")
    return found
