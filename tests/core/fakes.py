"""A database that only notes what is asked of it, for those who gather answers under faults."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Self, cast

from brownout.faults import Fault, Restart, TerminatedBackends
from brownout.postgres import Postgres, Session

__all__ = ["FakePostgres", "InForce"]

Switch = Callable[[Fault, bool], None]


@dataclass(frozen=True)
class InForce:
    """Everybody has felt it."""

    felt: int = 1_000_000


class FakePostgres:
    """`switch` is told of each fault when it comes into force and when it heals; `missing` are
    the names of faults that cannot be made; `applied` counts by token."""

    def __init__(
        self,
        *,
        switch: Switch = lambda _fault, _on: None,
        missing: Iterable[str] = (),
        applied: Mapping[str, int] | None = None,
    ) -> None:
        self.made: list[Fault] = []
        self.asked: list[tuple[str, str]] = []
        self.missed: list[Fault] = []
        self.terminations = 0
        self._connected = False
        self._switch = switch
        self._missing = set(missing)
        self._applied = {} if applied is None else applied

    @property
    def as_postgres(self) -> Postgres:
        """What it stands in for."""
        return cast("Postgres", self)

    @property
    def admin(self) -> Self:
        """Its own administrator."""
        return self

    def terminate_sessions(self) -> int:
        """As `Admin.terminate_sessions`; only counts."""
        self.terminations += 1
        return 1

    def lacks(self, fault: Fault) -> str | None:
        """As `Postgres.lacks`."""
        return "not here" if type(fault).__name__ in self._missing else None

    def inject(self, fault: Fault) -> AbstractAsyncContextManager[InForce]:
        """As `Postgres.inject`, beside an event loop."""
        return self._in_force(fault)

    @asynccontextmanager
    async def _in_force(self, fault: Fault) -> AsyncIterator[InForce]:
        self.made.append(fault)
        if isinstance(fault, TerminatedBackends | Restart):
            if not self._connected:
                self.missed.append(fault)
            self._connected = False
        self._switch(fault, True)
        try:
            yield InForce()
        finally:
            self._switch(fault, False)

    def sessions(self) -> tuple[Session, ...]:
        """As `Postgres.sessions`; whoever was disconnected comes back after a look that found
        nobody. `missed` are the faults that met nobody."""
        found = (Session(1, "idle", 0.0),) if self._connected else ()
        self._connected = True
        return found

    def count_each(self, text: str, tokens: Iterable[str], *, of: str) -> dict[str, int]:
        """As `Postgres.count_each`."""
        self.asked.append((text, of))
        return {token: self._applied.get(token, 0) for token in tokens}
