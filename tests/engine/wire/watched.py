"""A followed connection whose ends are lists."""

from collections.abc import Callable
from dataclasses import dataclass, field

from brownout.engine.direction import StreamDirection
from brownout.engine.stream import Ending
from brownout.engine.wire.active_rules import Rules
from brownout.engine.wire.connection import Wire
from brownout.engine.wire.events import Event, EventLog
from brownout.engine.wire.matching import ActiveRule
from brownout.engine.wire.memory import StatementMemory
from brownout.engine.wire.rules import Rule

__all__ = ["End", "Watched"]


class _Never:
    def cancel(self) -> None: ...


@dataclass
class End:
    """What has come out at one side."""

    got: bytearray = field(default_factory=bytearray)
    consumed: int = 0
    ending: Ending | None = None
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def put(self, data: bytes, consumed: int) -> None:
        self.got += data
        self.consumed += consumed

    def end(self, ending: Ending) -> None:
        self.ending = ending

    def later(self, seconds: float, action: Callable[[], None]) -> _Never:
        assert seconds >= 0
        self.waiting.append(action)
        return _Never()


class Watched:
    """Feeds a `Wire` as the relay does: passively where it may be passive."""

    def __init__(self, *rules: Rule, record: bool = True) -> None:
        self.rules = Rules(StatementMemory())
        self.force: list[ActiveRule] = [self.rules.add(rule, 0) for rule in rules]
        if record:
            self.rules.record = EventLog()
        self.server, self.client = End(), End()
        self.wire = Wire(1, self.rules, self.server, self.client)
        self.fed = {StreamDirection.UPSTREAM: 0, StreamDirection.DOWNSTREAM: 0}

    def asks(self, data: bytes) -> None:
        """The client sends."""
        self._feed(StreamDirection.UPSTREAM, data, self.server)

    def answers(self, data: bytes) -> None:
        """The server sends."""
        self._feed(StreamDirection.DOWNSTREAM, data, self.client)

    def _feed(self, direction: StreamDirection, data: bytes, side: End) -> None:
        self.fed[direction] += len(data)
        half = self.wire.half(direction)
        if half.passive:
            side.put(data, len(data))
            half.follow(data)
        else:
            half.take(data)

    def events(self) -> list[Event]:
        assert self.rules.record is not None
        return self.rules.record.since(0, 1_000_000)

    def seen(self) -> list[tuple[str, str | None, str | None, str]]:
        """Type, statement, tag and status of every event."""
        return [(one.type, one.sql, one.tag, one.status) for one in self.events()]
