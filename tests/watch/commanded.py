"""`brownout watch` as a user starts it, beside a service whose database a test breaks."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from brownout.control import EngineClient
from tests.frame.gates import Gate
from tests.remote.staging import DECLARED, PROXY, Staging

__all__ = ["PAIRED", "Watch", "outage", "watching"]

PAIRED = "--service=tests.remote.declared:kiosk_by_customer"


class Watch(Gate):
    """The command, of which `until` reads what it says."""

    command: ClassVar[tuple[str, ...]] = ("watch",)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def verdicts(self) -> dict[str, str]:
        """The verdict of each promise in its report."""
        return {one["id"]: one["verdict"] for one in self.document()["behaviours"]}

    def having(self, verdict: str) -> set[str]:
        """The promises that have it."""
        return {promise for promise, has in self.verdicts().items() if has == verdict}


@contextmanager
def watching(
    folder: Path, place: Staging, *words: str, declared: str = DECLARED
) -> Iterator[Watch]:
    """A watch that has begun: it has found the service whole."""
    url = f"--remote-service={place.url}"
    how_long = [] if any(word.startswith("--for") for word in words) else ["--until-signal"]
    with Watch(folder, url, declared, "--every=0.2", *how_long, *words) as watch:
        watch.until("watching: all is well")
        yield watch


@contextmanager
def outage(place: Staging, watch: Watch) -> Iterator[None]:
    """The database is out of reach until the end of the block, which begins when the watch has
    noticed it."""
    client = EngineClient(place.api)
    client.set_enabled(PROXY, enabled=False)
    try:
        watch.until("requests fail")
        yield
    finally:
        client.set_enabled(PROXY, enabled=True)
