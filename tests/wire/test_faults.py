"""The named faults through a real driver: what they break, what they leave, and their proof."""

import asyncio
import time

import asyncpg
import psycopg
import pytest

from brownout import FaultNotFelt, ms
from brownout.control import EngineProcess
from brownout.faults import (
    Commit,
    CommitNeverArrives,
    CutAt,
    DelayedAt,
    Loss,
    LostCommitReply,
    LostReply,
    RefusedAuthentication,
    ServerError,
    Side,
    SlowAuthentication,
    StalledAt,
    Statement,
    SwallowedCancels,
    TruncatedReply,
)
from brownout.postgres import Postgres

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEADLINE = 10.0
LOST = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)


def _rows(postgres: Postgres) -> list[int]:
    return sorted(number for (number,) in postgres.query("select number from kept"))


async def _write(connection: "asyncpg.Connection[asyncpg.Record]", number: int) -> None:
    async with asyncio.timeout(DEADLINE), connection.transaction():
        await connection.execute("insert into kept values ($1)", number)


async def test_a_slow_authentication_holds_up_new_connections_alone(postgres: Postgres) -> None:
    open_one = await asyncpg.connect(postgres.dsn)
    delay = ms(300)
    with postgres.inject(SlowAuthentication(delay)) as injection:
        began = time.monotonic()
        connecting = asyncio.create_task(asyncpg.connect(postgres.dsn))
        assert await open_one.fetchval("select 1") == 1
        connection = await connecting
        assert time.monotonic() - began >= delay.total_seconds()
        assert await connection.fetchval("select 1") == 1
    assert injection.felt == 1
    for one in (open_one, connection):
        await one.close()


async def _ended(postgres: Postgres) -> None:
    deadline = time.monotonic() + DEADLINE
    while postgres.sessions():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("loss", [Loss.FIN, Loss.RST])
async def test_a_lost_commit_reply_leaves_the_row(loss: Loss, postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    with postgres.inject(LostCommitReply(loss=loss)), pytest.raises(LOST):
        await _write(connection, 1)
    connection.terminate()
    assert _rows(postgres) == [1]


@pytest.mark.parametrize("of", [None, Statement("insert into kept")])
@pytest.mark.parametrize(
    "insert", ["insert into kept values ($1)", "insert into kept values ($1) returning 1"]
)
async def test_a_statement_that_commits_by_itself_loses_its_whole_reply_and_keeps_its_row(
    of: Statement | None, insert: str, postgres: Postgres
) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    with postgres.inject(LostCommitReply(of)) as injection, pytest.raises(LOST):
        await connection.fetch(insert, 1)
    connection.terminate()
    assert injection.felt == 1
    assert _rows(postgres) == [1]


async def test_a_statement_that_is_named_need_not_write_by_its_text(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    calls = "select txid_current()"
    with pytest.raises(FaultNotFelt), postgres.inject(LostCommitReply()):
        assert await connection.fetchval(calls)
    with postgres.inject(LostCommitReply(Statement("txid_current"))), pytest.raises(LOST):
        await connection.fetchval(calls)
    connection.terminate()


@pytest.mark.parametrize("loss", [Loss.FIN, Loss.RST])
@pytest.mark.parametrize("on", [Statement("^insert into kept"), Commit()])
async def test_a_lost_reply_leaves_what_was_committed(
    on: Statement | Commit, loss: Loss, postgres: Postgres
) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    with postgres.inject(LostReply(on, loss)) as injection, pytest.raises(LOST):
        await _write(connection, 1)
    connection.terminate()
    assert injection.felt == 1
    await _ended(postgres)
    assert _rows(postgres) == ([1] if isinstance(on, Commit) else [])


async def test_a_reply_is_lost_too_where_only_some_rows_were_asked_for(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    fault = LostReply(Statement("generate_series"))
    with postgres.inject(fault) as injection, pytest.raises(LOST):
        await connection.fetchrow("select generate_series(1, $1::int)", 3)  # PortalSuspended
    assert injection.felt == 1


async def test_a_silent_reply_comes_when_the_fault_heals(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    fault = LostReply(Statement("insert into kept"), Loss.SILENCE, times=1)
    async with postgres.inject(fault) as injection:
        pending = asyncio.create_task(connection.execute("insert into kept values (1)"))
        deadline = time.monotonic() + DEADLINE
        while not await asyncio.to_thread(lambda: injection.felt):
            assert time.monotonic() < deadline
        assert _rows(postgres) == [1]
        assert not pending.done()
    async with asyncio.timeout(DEADLINE):
        await pending
    await connection.close()


@pytest.mark.parametrize("in_row", [False, True])
async def test_a_reply_breaks_off(in_row: bool, postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    fault = TruncatedReply(Statement("generate_series"), in_row=in_row, nth=2 if in_row else 1)
    with postgres.inject(fault) as injection, pytest.raises(LOST):
        await connection.fetch("select generate_series(1, 3)")
    assert injection.felt == 1
    assert connection.is_closed()


@pytest.mark.parametrize("loss", [Loss.FIN, Loss.RST])
async def test_a_commit_that_never_arrives_leaves_nothing(loss: Loss, postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    with postgres.inject(CommitNeverArrives(loss=loss)), pytest.raises(LOST):
        await _write(connection, 1)
    connection.terminate()
    assert _rows(postgres) == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("53300", asyncpg.TooManyConnectionsError),
        ("57P03", asyncpg.CannotConnectNowError),
        ("28P01", asyncpg.InvalidPasswordError),
        ("3D000", asyncpg.InvalidCatalogNameError),
    ],
)
async def test_new_connections_are_refused_and_open_ones_stay(
    code: str, kind: type[Exception], postgres: Postgres
) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    with postgres.inject(RefusedAuthentication(code)) as injection:
        with pytest.raises(kind):
            await asyncpg.connect(postgres.dsn)
        with pytest.raises(psycopg.OperationalError, match="FATAL"):
            psycopg.connect(postgres.dsn)
        assert injection.felt >= 2
        assert await connection.fetchval("select 1") == 1
    await connection.close()
    again = await asyncpg.connect(postgres.dsn)
    await again.close()


async def test_a_stalled_statement_goes_on_when_the_fault_heals(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    async with postgres.inject(StalledAt(Statement("insert"))) as injection:
        pending = asyncio.create_task(connection.execute("insert into kept values (1)"))
        deadline = time.monotonic() + DEADLINE
        while not await asyncio.to_thread(lambda: injection.felt):
            assert time.monotonic() < deadline
        assert not pending.done()
        assert _rows(postgres) == []
    async with asyncio.timeout(DEADLINE):
        await pending
    assert _rows(postgres) == [1]
    await connection.close()


async def test_a_delayed_statement_is_late_and_arrives(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    async with postgres.inject(DelayedAt(Statement("insert"), ms(200))):
        begun = time.monotonic()
        await connection.execute("insert into kept values (1)")
        assert time.monotonic() - begun >= 0.2
    assert _rows(postgres) == [1]
    await connection.close()


@pytest.mark.parametrize(("side", "rows"), [(Side.BEFORE, []), (Side.AFTER, [1])])
async def test_a_cut_at_a_statement(side: Side, rows: list[int], postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    fault = CutAt(Statement("insert into kept"), side=side)
    with postgres.inject(fault), pytest.raises(LOST):
        await connection.execute("insert into kept values (1)")
    connection.terminate()
    deadline = time.monotonic() + DEADLINE
    while postgres.sessions():
        assert time.monotonic() < deadline
    assert _rows(postgres) == rows


async def test_a_swallowed_cancel_leaves_the_statement_running(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    async with postgres.inject(SwallowedCancels()) as injection:
        pending = asyncio.create_task(connection.execute("select pg_sleep(1)", timeout=0.1))
        deadline = time.monotonic() + DEADLINE
        while not await asyncio.to_thread(lambda: injection.felt):
            assert time.monotonic() < deadline
        assert any(session.state == "active" for session in postgres.sessions())
    with pytest.raises(TimeoutError):
        await pending
    connection.terminate()


async def test_a_fault_that_hits_nothing_says_so(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn)
    with (
        pytest.raises(FaultNotFelt),
        postgres.inject(ServerError("40001", on=Statement("update kept"))),
    ):
        await connection.execute("insert into kept values (1)")
    await connection.close()


async def test_the_record_shows_statements_and_never_parameters(
    postgres: Postgres, engine: EngineProcess, proxy: str
) -> None:
    wire = engine.client.wire
    wire.start_record(proxy)
    stream = wire.stream(proxy, after=0)
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute("insert into kept values ($1)", 424242)
    await connection.close()
    events = wire.events(proxy)
    assert wire.last_event(proxy) == len(events)
    assert [next(stream) for _ in events] == list(events)
    wire.stop_record(proxy)
    assert list(stream) == []
    assert [event.tag for event in events if event.type == "CommandComplete"] == ["INSERT 0 1"]
    assert {event.sql for event in events if event.type == "Execute"} == {
        "insert into kept values ($1)"
    }
    assert "424242" not in repr(events)


async def test_a_hashed_record_tells_statements_apart_without_their_text(
    postgres: Postgres, engine: EngineProcess, proxy: str
) -> None:
    wire = engine.client.wire
    wire.start_record(proxy, hashed=True, keep=15)
    connection = await asyncpg.connect(postgres.dsn)
    for number in (1, 2, 1):
        await connection.execute(f"select {number}")
    events = wire.events(proxy)
    wire.stop_record(proxy)
    await connection.close()
    assert len(events) == 15
    assert {event.sql for event in events} == {None}
    assert len({event.digest for event in events if event.digest is not None}) == 2
