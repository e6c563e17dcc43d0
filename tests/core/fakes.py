"""A database and a service that only note what is asked of them, for tests of trials."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar, cast

from brownout.declaration import Service
from brownout.engine.direction import StreamDirection
from brownout.engine.wire.events import Event
from brownout.errors import BrownoutError, NotAssessable, ServiceNotReady
from brownout.faults import Fault, Restart, TerminatedBackends
from brownout.login import Address, Login
from brownout.postgres import Postgres, Session
from brownout.service import RunningService
from brownout.service.requests import Supplies
from brownout.trial import Referee

__all__ = ["FakePostgres", "FakeReferee", "FakeService", "InForce"]

T = TypeVar("T")
Switch = Callable[[Fault, bool], None]


class FakePostgres:
    """`switch` is told of each fault when it comes into force and when it heals; `missing` are
    the names of faults that cannot be made; `applied` counts by token; `felt` says how often the
    fault in force has hit something so far. A test may note in `sent` what the service sends."""

    def __init__(
        self,
        *,
        switch: Switch = lambda _fault, _on: None,
        missing: Iterable[str] = (),
        applied: Mapping[str, int] | None = None,
        felt: Callable[[], int] = lambda: 1_000_000,
    ) -> None:
        self.made: list[Fault] = []
        self.asked: list[tuple[str, str]] = []
        self.missed: list[Fault] = []
        self.terminations = 0
        self.renewals = 0
        self.connections = 0
        self.switch = switch
        self.felt = felt
        self.sent: list[str] = []
        self._injections: list[InForce] = []
        self._connected = False
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

    @property
    def login(self) -> Login:
        """As `Postgres.login`."""
        return Login(Address("127.0.0.1", 5432), "shop", "shop_role", "")

    @property
    def known(self) -> dict[str, str]:
        """As `Postgres.known`."""
        return {"dsn.user": "shop_role"}

    @property
    def injections(self) -> tuple["InForce", ...]:
        """As `Postgres.injections`."""
        return tuple(self._injections)

    def restore_prepared(self) -> bool:
        """As `Postgres.restore_prepared`."""
        self.renewals += 1
        return True

    def opened(self) -> int:
        """As `Postgres.opened`."""
        return self.connections

    def heal(self) -> None:
        """As `Postgres.heal`: nothing is left in force."""

    def require(self, fault: Fault) -> None:
        """As `Postgres.require`."""
        if reason := self.lacks(fault):
            raise NotAssessable(reason)

    def lacks(self, fault: Fault) -> str | None:
        """As `Postgres.lacks`."""
        return "not here" if type(fault).__name__ in self._missing else None

    def require_trial(self, trial: str) -> None:
        """As `Postgres.require_trial`: each can be made."""

    def record_wire(self) -> "FakeRecord":
        """As `Postgres.record_wire`."""
        return FakeRecord(self)

    def inject(self, fault: Fault) -> "InForce":
        """As `Postgres.inject`, beside an event loop."""
        injection = InForce(self, fault)
        self._injections.append(injection)
        return injection

    def begin(self, fault: Fault) -> None:
        """The fault comes into force."""
        self.made.append(fault)
        if isinstance(fault, TerminatedBackends | Restart):
            if not self._connected:
                self.missed.append(fault)
            self._connected = False
        self.switch(fault, True)

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


class FakeRecord:
    """As `WireRecord`: each statement by itself, on the first connection."""

    def __init__(self, postgres: FakePostgres) -> None:
        self._postgres = postgres

    def __enter__(self) -> Self:
        """Begin."""
        self._postgres.sent.clear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""

    def take(self) -> tuple[Event, ...]:
        """What was sent since the last call."""
        taken, self._postgres.sent = self._postgres.sent, []
        up, now = StreamDirection.UPSTREAM, time.monotonic()
        return tuple(
            Event(number, now, 1, up, "Query", sql, None, None, "I", 9, None)
            for number, sql in enumerate(taken, 1)
        )


class InForce:
    """As `Injection`."""

    def __init__(self, postgres: FakePostgres, fault: Fault) -> None:
        self._postgres = postgres
        self._fault = fault
        self.proof = "what the test says"
        self.made_at: float | None = None
        self.healed_at: float | None = None

    @property
    def felt(self) -> int:
        """How often the fault has hit something so far."""
        return self._postgres.felt()

    async def __aenter__(self) -> Self:
        """Put the fault in force."""
        self._postgres.begin(self._fault)
        self.made_at = time.monotonic()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Heal it."""
        self.healed_at = time.monotonic()
        self._postgres.switch(self._fault, False)


class FakeService:
    """A service that runs until `end` is called, and again after a restart."""

    def __init__(self, declaration: Service, url: str) -> None:
        self.declaration = declaration
        self.url = url
        self.tls = None
        self.pid = 1000
        self.process_ids: tuple[int, ...] = ()
        self.secrets: tuple[str, ...] = ()
        self.restarts = 0
        self.resets = 0
        self.words = ""
        self.exit_code: int | None = None
        self.ended_at: float | None = None
        self.comes_back = True
        self.supplies = Supplies()
        self.supplied = 0

    @property
    def as_service(self) -> RunningService:
        """What it stands in for."""
        return cast("RunningService", self)

    @property
    def running(self) -> bool:
        """As `RunningService.running`."""
        return self.exit_code is None

    def end(self, code: int, *words: str) -> None:
        """Its process ends."""
        self.exit_code = code
        self.ended_at = time.monotonic()
        self.words += "".join(f"{word}\n" for word in words)

    def log(self) -> str:
        """As `RunningService.log`."""
        return self.words

    def log_mark(self) -> int:
        """As `RunningService.log_mark`."""
        return len(self.words)

    def log_since(self, mark: int) -> str:
        """As `RunningService.log_since`."""
        return self.words[mark:]

    def leaders(self) -> tuple[int, ...]:
        """As `RunningService.leaders`."""
        return self.process_ids

    def computing(self) -> tuple[int, ...]:
        """As `RunningService.computing`."""
        return self.process_ids

    def require_running(self) -> None:
        """As `RunningService.require_running`."""
        if not self.running:
            raise ServiceNotReady("The service is not running.")

    def reset(self) -> None:
        """As `RunningService.reset`."""
        self.resets += 1

    def supply(self, *, lasting: timedelta = timedelta(0)) -> None:  # noqa: ARG002
        """As `RunningService.supply`."""
        self.supplied += 1

    def restart(self, *, stopped: Callable[[], object] | None = None) -> None:
        """As `RunningService.restart`."""
        if stopped is not None:
            stopped()
        self.restarts += 1
        if not self.comes_back:
            self.exit_code = 1
            raise ServiceNotReady("The service ended before it was ready.")
        self.exit_code = self.ended_at = None
        self.pid += 1


class FakeReferee:
    """Sees nothing die."""

    end: BrownoutError | None = None

    async def watch(self, work: Awaitable[T]) -> T:
        """As `Referee.watch`."""
        return await work

    @property
    def as_referee(self) -> Referee:
        """The same, for the type checker."""
        return cast("Referee", self)
