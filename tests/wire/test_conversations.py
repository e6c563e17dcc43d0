"""Batches, cursors, COPY, notifications, and rows before an error, through each driver with them.

Where the server itself can be made to do the same, the driver has to see the same.
"""

from collections.abc import Callable

import pytest

from brownout.control import EngineProcess
from brownout.engine.direction import StreamDirection
from brownout.engine.wire.actions import Error, Severity, Truncate
from brownout.engine.wire.rules import Rule
from brownout.engine.wire.when import When
from brownout.faults import ServerError, Statement, TruncatedReply
from brownout.postgres import Postgres
from tests.wire.codes import CODES
from tests.wire.drivers import (
    BATCHING,
    COPYING,
    DRIVERS,
    FETCHING,
    LISTENING,
    Batching,
    Copying,
    Driver,
    Fetching,
    Listening,
    TokioPostgres,
    connected,
    drop,
    insert,
    sqlstate_of,
    true_end,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONNECTION_EXCEPTION = "08000"
DIVISION_BY_ZERO = "22012"
COPY = Statement("^copy .?kept")  # asyncpg writes the table's name in quotes
DATA = "1\n2\n3\n"


def _named(kind: Callable[[], Driver]) -> str:
    return getattr(kind, "__name__", str(kind))


def _rows(postgres: Postgres) -> list[int]:
    return sorted(number for (number,) in postgres.query("select number from kept"))


def _lost(error: BaseException) -> bool:
    """Whether the driver says that the connection was lost, and not that the server said so."""
    return (sqlstate_of(error) or CONNECTION_EXCEPTION)[:2] == CONNECTION_EXCEPTION[:2]


@pytest.mark.parametrize("kind", BATCHING, ids=_named)
async def test_a_batch_fails_as_by_the_servers_own_refusal(
    kind: Callable[[], Batching], postgres: Postgres
) -> None:
    driver = await connected(kind, postgres.dsn)
    number = f"{driver.parameter}::int"
    sql = f"insert into kept select n + 0 / (2 - n) from (select {number} as n) given"  # noqa: S608
    with pytest.raises(Exception) as truth:  # noqa: PT011 (each driver has its own)
        await driver.batch(sql, [1, 2, 3])
    assert sqlstate_of(truth.value) == DIVISION_BY_ZERO
    left = _rows(postgres)
    for code in CODES:
        postgres.query("truncate kept")
        fault = ServerError(code, on=Statement("insert into kept"), nth=2, times=1)
        with postgres.inject(fault) as injection:
            with pytest.raises(Exception) as refusal:  # noqa: PT011
                await driver.batch(sql, [1, 4, 3])
            assert sqlstate_of(refusal.value) == code
        assert injection.felt == 1
        assert _rows(postgres) == left
    await driver.batch(sql, [5, 6])
    assert _rows(postgres) == [*left, 5, 6]
    await driver.close()


@pytest.mark.parametrize("kind", FETCHING, ids=_named)
async def test_rows_come_some_at_a_time_until_an_error(
    kind: Callable[[], Fetching], postgres: Postgres
) -> None:
    driver = await connected(kind, postgres.dsn)
    sql = "select 6 / (3 - n) from generate_series(1, {}) n"
    before, error = await driver.fetch(sql.format(5), 2)
    assert before == [(3,), (6,)]
    assert error is not None
    assert sqlstate_of(error) == DIVISION_BY_ZERO
    for code in CODES:
        # An Execute of a portal, or a FETCH of a cursor of SQL.
        fault = ServerError(code, on=Statement("^select 7|^fetch"), nth=2, times=1)
        with postgres.inject(fault) as injection:
            found, refusal = await driver.fetch("select 7 - n from generate_series(1, 5) n", 2)
        assert injection.felt == 1
        assert found == [(6,), (5,)]
        assert refusal is not None
        assert sqlstate_of(refusal) == code
    assert await driver.fetch(sql.format(2), 2) == (before, None)
    await driver.close()


@pytest.mark.parametrize("kind", COPYING, ids=_named)
async def test_copy_is_refused_both_ways(kind: Callable[[], Copying], postgres: Postgres) -> None:
    driver = await connected(kind, postgres.dsn)
    for code in CODES:
        with postgres.inject(ServerError(code, on=COPY)) as injection:
            for refused in (driver.copy_out("kept"), driver.copy_in("kept", DATA)):
                with pytest.raises(Exception) as refusal:  # noqa: PT011
                    await refused
                assert sqlstate_of(refusal.value) == code
        assert injection.felt == 2
        if kind is TokioPostgres:
            # It sends a Sync too many and loses its connection, also if the server itself refuses.
            await drop(driver)
            driver = await connected(kind, postgres.dsn)
    assert _rows(postgres) == []
    await driver.copy_in("kept", DATA)
    assert await driver.copy_out("kept") == DATA
    await driver.close()


@pytest.mark.parametrize("kind", COPYING, ids=_named)
async def test_copy_is_refused_when_its_data_comes(
    kind: Callable[[], Copying], postgres: Postgres, engine: EngineProcess, proxy: str
) -> None:
    driver = await connected(kind, postgres.dsn)
    when = When(("CopyData",), StreamDirection.UPSTREAM, sql=COPY.sql)
    for code in CODES:
        engine.client.wire.add_rule(proxy, Rule(when, Error(code), "full"))
        with pytest.raises(Exception) as refusal:  # noqa: PT011
            await driver.copy_in("kept", DATA)
        assert sqlstate_of(refusal.value) == code
        assert engine.client.wire.remove_rule(proxy, "full").hits == 1
    assert _rows(postgres) == []
    await driver.copy_in("kept", DATA)
    assert _rows(postgres) == [1, 2, 3]
    await driver.close()


@pytest.mark.parametrize("kind", COPYING, ids=_named)
async def test_copy_out_of_the_database_breaks_off(
    kind: Callable[[], Copying], postgres: Postgres, engine: EngineProcess, proxy: str
) -> None:
    driver = await connected(kind, postgres.dsn)
    await driver.copy_in("kept", DATA)
    when = When(("CopyData",), StreamDirection.DOWNSTREAM, nth=2)
    engine.client.wire.add_rule(proxy, Rule(when, Truncate(3), "torn"))
    with pytest.raises(Exception) as end:  # noqa: PT011
        await driver.copy_out("kept")
    assert _lost(end.value)
    assert engine.client.wire.remove_rule(proxy, "torn").hits == 1
    await drop(driver)


@pytest.mark.parametrize("kind", LISTENING, ids=_named)
async def test_a_notification_comes_whatever_is_refused(
    kind: Callable[[], Listening], postgres: Postgres
) -> None:
    driver = await connected(kind, postgres.dsn)
    for number, code in enumerate(CODES):
        with postgres.inject(ServerError(code, on=Statement("^listen"))) as injection:
            with pytest.raises(Exception) as refusal:  # noqa: PT011
                # postgres.js remembers the refusal of a channel, so each has its own.
                await driver.listen(f"refused{number}")
            assert sqlstate_of(refusal.value) == code
        assert injection.felt >= 1
    await driver.listen("bell")
    for code in CODES:
        with postgres.inject(ServerError(code, on=Statement("insert into kept"))):
            postgres.query("select pg_notify('bell', $1)", code)
            with pytest.raises(Exception) as refusal:  # noqa: PT011
                await insert(driver, 1)
            assert sqlstate_of(refusal.value) == code
        assert await driver.notified() == code
    await driver.close()


def _five(driver: Driver) -> tuple[str, int]:
    return f"select 7 - n from generate_series(1, {driver.parameter}::int) n", 5  # noqa: S608


@pytest.mark.parametrize("kind", DRIVERS, ids=_named)
async def test_a_session_ends_after_some_rows_as_if_by_the_server(
    kind: Callable[[], Driver], postgres: Postgres, engine: EngineProcess, proxy: str
) -> None:
    truth = await true_end(kind, postgres.dsn)
    driver = await connected(kind, postgres.dsn)
    when = When(("DataRow",), StreamDirection.DOWNSTREAM, sql="^select 7", nth=3)
    engine.client.wire.add_rule(proxy, Rule(when, Error("57P01", Severity.FATAL), "end"))
    with pytest.raises(Exception) as end:  # noqa: PT011
        await driver.run(*_five(driver))
    assert (type(end.value), sqlstate_of(end.value)) == truth
    assert engine.client.wire.remove_rule(proxy, "end").hits == 1
    await drop(driver)


@pytest.mark.parametrize("in_row", [False, True])
@pytest.mark.parametrize("kind", DRIVERS, ids=_named)
async def test_a_reply_that_breaks_off_is_no_result(
    kind: Callable[[], Driver], in_row: bool, postgres: Postgres
) -> None:
    driver = await connected(kind, postgres.dsn)
    fault = TruncatedReply(Statement("^select 7"), in_row=in_row, nth=3 if in_row else 1)
    with postgres.inject(fault) as injection:
        with pytest.raises(Exception) as end:  # noqa: PT011
            await driver.run(*_five(driver))
        assert _lost(end.value)
    assert injection.felt == 1
    await drop(driver)


@pytest.mark.parametrize("kind", DRIVERS, ids=_named)
async def test_an_error_of_the_servers_own_passes_behind_its_rows(
    kind: Callable[[], Driver], postgres: Postgres
) -> None:
    driver = await connected(kind, postgres.dsn)
    sql = f"select 6 / (3 - n) from generate_series(1, {driver.parameter}::int) n"  # noqa: S608
    assert await driver.run(sql, 2) == [(3,), (6,)]
    with pytest.raises(Exception) as refusal:  # noqa: PT011
        await driver.run(sql, 5)
    assert sqlstate_of(refusal.value) == DIVISION_BY_ZERO
    # postgres.js adds the next rows to those that came before the error, so no rows are asked for.
    await insert(driver, 1, simple=True)
    assert _rows(postgres) == [1]
    await driver.close()
