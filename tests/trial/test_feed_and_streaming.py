"""How the scripts on background consumers and long answers ask."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from brownout import BrownoutError, Budget, Feed, NotAssessable, SettingsError, Streaming
from brownout.faults import Fault, Outage
from brownout.postgres import Session
from brownout.trial.feed import Fed
from brownout.trial.streaming import HeldOpen
from brownout.units import ms
from tests.core.fakes import FakePostgres
from tests.core.made import READ, service
from tests.core.peer import OK, Reply, Request, Then, serving, whole
from tests.trial.staged import staged

pytestmark = pytest.mark.asyncio

SHORT = Budget(request=ms(100), recovery=ms(200), pool=3)
FEED = Feed(change="insert into notes values ($1)", path="/notes", within=ms(100))
FED = service([READ], budget=SHORT, feed=FEED)
STREAMING = service(
    [READ], budget=SHORT, streaming=Streaming(path="/events", headers={"Accept": "text/plain"})
)
CHUNK = b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
OPEN = Reply(CHUNK, Then.HOLD)


class Notes(FakePostgres):
    """A database that others change, and a service that shows the changes it heard of: not those
    under a fault unless it `rereads`, and none after one if it is `deaf` then."""

    def __init__(self, *, rereads: bool = True, deaf: bool = False) -> None:
        super().__init__(switch=self.switch)
        self.changes: list[tuple[str, bool]] = []
        self.broken = self.was_broken = False
        self.rereads = rereads
        self.deaf = deaf
        self.error: Exception | None = None

    def switch(self, _: Fault, on: bool) -> None:
        """A fault comes or goes."""
        self.broken, self.was_broken = on, True

    def query(self, text: str, *parameters: object) -> list[tuple[object, ...]]:
        """As `Postgres.query`."""
        assert text == FEED.change
        if self.error is not None:
            raise self.error
        (token,) = map(str, parameters)
        heard = not self.broken and not (self.deaf and self.was_broken)
        self.changes.append((token, heard))
        return []

    async def __call__(self, request: Request) -> Reply:
        """The feed, as the service shows it."""
        if request.path != "/notes":
            return OK
        read = self.rereads and not self.deaf and not self.broken
        return whole(body=" ".join(one for one, heard in self.changes if heard or read).encode())


async def test_a_feed_is_asked_until_it_shows_what_changed_under_the_fault_and_after() -> None:
    notes = Notes()
    async with serving(notes) as peer, staged(peer, FED, notes) as stage:
        await Fed(Outage()).run(stage)
    (before, _), (missed, heard), (later, _) = notes.changes
    assert not heard
    assert [stage.notes[name][-1].token for name in ("before", "missed", "later")] == [
        before, missed, later,
    ]  # fmt: skip
    assert all(stage.notes[name][-1].succeeded for name in ("missed", "later"))
    assert stage.recovery is None


@pytest.mark.parametrize(
    ("lack", "stale"), [("rereads", ["missed"]), ("deaf", ["missed", "later"])]
)
async def test_a_feed_that_stays_stale_is_given_up_and_the_service_is_not_whole(
    lack: str, stale: list[str]
) -> None:
    notes = Notes(rereads=lack != "rereads", deaf=lack == "deaf")
    async with serving(notes) as peer, staged(peer, FED, notes) as stage:
        await Fed(Outage()).run(stage)
    last = {name: stage.notes[name][-1] for name in ("before", "missed", "later")}
    assert [one.token for one in last.values()] == [token for token, _ in notes.changes]
    assert stale == [name for name, one in last.items() if one.token.encode() not in one.body]
    (made,) = stage.injected
    for name in stale:
        assert stage.notes[name][-1].started >= made.healed + 0.3, "RTO and `within`"
    assert stage.recovery is not None
    assert not stage.recovery.steady


async def test_a_feed_that_never_shows_a_change_is_no_fault_of_the_service() -> None:
    notes = Notes()
    async with serving(OK) as peer, staged(peer, FED, notes) as stage:
        with pytest.raises(BrownoutError, match=r"Nothing is broken, yet a change .* after 0\.3 s"):
            await Fed(Outage()).run(stage)
    assert stage.injected == []


async def test_wrong_sql_of_a_change_is_told_with_the_server_s_reason() -> None:
    notes = Notes()
    notes.error = psycopg.errors.UndefinedTable('relation "notes" does not exist\nLINE 1')
    async with serving(notes) as peer, staged(peer, FED, notes) as stage:
        with pytest.raises(SettingsError, match=r'change fails: relation "notes" does not exist\.'):
            await Fed(Outage()).run(stage)


async def test_without_a_feed_and_without_a_long_answer_nothing_is_asked() -> None:
    async with serving(OK) as peer, staged(peer, service([READ])) as stage:
        with pytest.raises(NotAssessable, match="feed"):
            await Fed(Outage()).run(stage)
        with pytest.raises(NotAssessable, match="streaming"):
            await HeldOpen().run(stage)
    assert peer.requests == []


async def test_twice_as_many_long_answers_as_connections_are_open_while_others_ask() -> None:
    seen: list[int] = []

    async def answer(request: Request) -> Reply:
        if request.path == "/events":
            assert request.headers["accept"] == "text/plain"
            return OPEN
        seen.append(sum(one.path == "/events" for one in peer.requests) - peer.gone)
        return OK

    async with serving(answer) as peer, staged(peer, STREAMING) as stage:
        await HeldOpen().run(stage)
        await peer.until(lambda: peer.gone == 7)
    assert seen == [6, 6, 6]
    assert len(stage.notes["held"]) == 6
    assert [one.succeeded for one in stage.notes["asked"]] == [True] * 3
    assert "not held" not in stage.notes


class Listening(FakePostgres):
    """A database whose sessions are those of the pool, and one for each reader that is open."""

    def __init__(self, pool: int) -> None:
        super().__init__()
        self.pool = pool
        self.readers: Callable[[], int] = lambda: 0

    def sessions(self) -> tuple[Session, ...]:
        """As `Postgres.sessions`."""
        return (Session(1, "idle", 0.0),) * (self.pool + self.readers())


async def test_the_sessions_are_counted_before_and_while_long_answers_are_open() -> None:
    async def answer(request: Request) -> Reply:
        return OPEN if request.path == "/events" else OK

    postgres = Listening(3)
    async with serving(answer) as peer, staged(peer, STREAMING, postgres) as stage:
        # The first is tried by itself, and has ended.
        postgres.readers = lambda: sum(one.path == "/events" for one in peer.requests[1:])
        await HeldOpen().run(stage)
    assert [look.total for look in stage.counted] == [3, 9]


async def test_long_answers_that_are_refused_break_off_or_end_are_not_held() -> None:
    asked = 0

    async def answer(request: Request) -> Reply:
        nonlocal asked
        if request.path != "/events":
            return OK
        asked += 1
        ended = Reply(CHUNK + b"0\r\n\r\n", Then.KEEP)
        others = {3: whole(503), 4: Reply(CHUNK, Then.CLOSE), 5: ended, 6: Reply(b"", Then.CLOSE)}
        return others.get(asked, OPEN)

    async with serving(answer) as peer, staged(peer, STREAMING) as stage:
        await HeldOpen().run(stage)
    assert (len(stage.notes["held"]), len(stage.notes["not held"])) == (2, 4)


async def test_a_long_answer_without_its_head_is_not_waited_for_beyond_the_patience() -> None:
    first = True

    async def answer(request: Request) -> Reply:
        nonlocal first
        if request.path != "/events":
            return OK
        if first:
            first = False
            return OPEN
        await asyncio.sleep(60)
        return OPEN

    async with serving(answer) as peer, staged(peer, STREAMING, patience=ms(300)) as stage:
        await HeldOpen().run(stage)
    assert len(stage.notes["not held"]) == 6


@pytest.mark.parametrize(
    ("reply", "how"),
    [(whole(404), "status 404"), (OK, "it ended at once")],
)
async def test_what_does_not_stay_open_by_itself_is_no_long_answer(reply: Reply, how: str) -> None:
    declared = replace(STREAMING, streaming=Streaming(path="/events"))
    async with serving(reply) as peer, staged(peer, declared) as stage:
        with pytest.raises(BrownoutError, match=f"there is no long answer: .*{how}"):
            await HeldOpen().run(stage)
