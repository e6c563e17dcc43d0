"""A transaction of five statements through asyncpg, cut at every boundary of every message.

The driver never hangs, and the rows are there exactly where the COMMIT has reached the server.
"""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import psycopg
import pytest

from brownout.control import EngineProcess, Event, StreamDirection
from brownout.engine.wire.actions import Cut, Side
from brownout.engine.wire.messages import NAMES
from brownout.engine.wire.rules import Rule
from brownout.engine.wire.when import When
from brownout.postgres import Postgres

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEADLINE = 5.0

Connection = psycopg.Connection[tuple[Any, ...]]


async def _transaction(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=DEADLINE)
    try:
        await connection.execute("begin")
        await connection.execute("insert into kept values ($1)", 1)
        await connection.fetch("select number from kept where number = $1", 1)
        await connection.execute("insert into kept values ($1)", 2)
        await connection.execute("commit")
    finally:
        connection.terminate()


@pytest.fixture
def beside(postgres: Postgres) -> Iterator[Connection]:
    """One connection around the proxy, for all looks at what a transaction has left."""
    with postgres.admin.connect() as connection:
        yield connection


async def _gone(postgres: Postgres, beside: Connection) -> None:
    deadline = time.monotonic() + DEADLINE
    sessions = "select 1 from pg_stat_activity where usename = %s"
    while beside.execute(sessions, [postgres.admin.role]).fetchone():
        assert time.monotonic() < deadline, "a session outlives its connection"
        await asyncio.sleep(0.002)


async def _recorded(
    postgres: Postgres, engine: EngineProcess, proxy: str, beside: Connection
) -> list[Event]:
    engine.client.wire.start_record(proxy)
    await _transaction(postgres.dsn)
    await _gone(postgres, beside)
    events = list(engine.client.wire.events(proxy))
    engine.client.wire.stop_record(proxy)
    beside.execute("delete from kept")
    return events


@pytest.mark.parametrize("action", ["cut", "reset"])
@pytest.mark.parametrize("direction", list(StreamDirection))
async def test_cut_before_and_after_every_message(
    direction: StreamDirection,
    action: str,
    postgres: Postgres,
    engine: EngineProcess,
    proxy: str,
    beside: Connection,
) -> None:
    events = await _recorded(postgres, engine, proxy, beside)
    types = tuple(NAMES[direction].values())
    mine = [event for event in events if event.direction is direction]
    assert len(mine) > 15
    commit_sent = next(e.number for e in events if e.type == "Query" and e.sql == "commit")
    for nth, event in enumerate(mine, 1):
        for side in Side:
            when = When(types, direction, nth=nth, times=1)
            cut = Cut(side, reset=action == "reset")
            engine.client.wire.add_rule(proxy, Rule(when, cut, "cut"))
            begun = time.monotonic()
            failure: BaseException | None = None
            try:
                async with asyncio.timeout(DEADLINE):
                    await _transaction(postgres.dsn)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                failure = error
            where = f"{action} {side} message {nth}, {event.type} of {event.sql!r}"
            assert time.monotonic() - begun < DEADLINE, where
            await _gone(postgres, beside)
            hits = engine.client.wire.remove_rule(proxy, "cut").hits
            assert hits == 1, where
            arrived = event.number > commit_sent or (
                event.number == commit_sent and side is Side.AFTER
            )
            rows = sorted(row[0] for row in beside.execute("delete from kept returning number"))
            assert rows == ([1, 2] if arrived else []), where
            if not arrived:
                assert failure is not None, where
