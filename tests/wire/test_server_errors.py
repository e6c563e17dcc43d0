"""Every class of SQLSTATE, at every step, inside and outside transactions and savepoints.

Through each driver: the right exception, a connection that is as the server's own refusal would
have left it, and the right rows. Each driver meets each class at every step, in one of the three
places; which one goes round from driver to driver, so that each class is met in all of them.
"""

import re
from collections.abc import Callable
from typing import Any, cast

import psycopg
import pytest

from brownout.engine.direction import StreamDirection
from brownout.engine.wire.actions import Error
from brownout.engine.wire.rules import Rule
from brownout.engine.wire.when import When
from brownout.faults import Commit, ServerError, Statement, Step
from brownout.postgres import Postgres
from tests.wire.codes import CODES
from tests.wire.drivers import (
    DRIVERS,
    Asyncpg,
    Driver,
    PgJdbc,
    Psycopg,
    PsycopgPipeline,
    connected,
    drop,
    insert,
    sqlstate_of,
    true_end,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

STEPS = ["parse", "bind", "execute", "query"]
AT = {"parse": Step.PARSE, "bind": Step.BIND, "execute": Step.EXECUTE, "query": Step.EXECUTE}
BEFORE_COMMIT = [[], ["begin"], ["begin", "savepoint s"]]
REFUSED = "refused"
"""What a statement says that is to fail."""


async def _refused(driver: Driver, step: str, code: str) -> None:
    """The insert of row 2 fails."""
    with pytest.raises(Exception) as refusal:  # noqa: PT011 (each driver has its own)
        await insert(driver, 2, note=REFUSED, simple=step == "query")
    assert sqlstate_of(refusal.value) == code


def _rows(postgres: Postgres) -> list[int]:
    return sorted(number for (number,) in postgres.query("select number from kept"))


async def _outside_a_transaction(driver: Driver, step: str, code: str, row: int) -> None:
    await _refused(driver, step, code)
    await insert(driver, row)


async def _inside_a_transaction(driver: Driver, step: str, code: str) -> None:
    await driver.run("begin")
    await insert(driver, 1)
    await _refused(driver, step, code)
    with pytest.raises(Exception) as refusal:  # noqa: PT011
        await insert(driver, 3)
    assert sqlstate_of(refusal.value) == "25P02"
    await driver.run("rollback")
    assert await driver.run(f"select {driver.parameter}::int", 7) == [(7,)]


async def _inside_a_savepoint(driver: Driver, step: str, code: str, row: int) -> None:
    await driver.run("begin")
    await insert(driver, row)
    await driver.run("savepoint s")
    await _refused(driver, step, code)
    await driver.run("rollback to s")
    await driver.run("commit")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", DRIVERS, ids=lambda kind: kind.__name__)
async def test_a_statement_is_refused_wherever_it_stands(
    kind: Callable[[], Driver], step: str, postgres: Postgres
) -> None:
    driver = await connected(kind, postgres.dsn)
    kept: list[int] = []
    for row, code in enumerate(CODES, start=100):
        fault = ServerError(code, on=Statement(REFUSED, at=AT[step]))
        with postgres.inject(fault) as injection:
            place = (row + DRIVERS.index(kind)) % 3
            if place == 0:
                await _outside_a_transaction(driver, step, code, row)
                kept.append(row)
            elif place == 1:
                await _inside_a_transaction(driver, step, code)
            else:
                await _inside_a_savepoint(driver, step, code, row)
                kept.append(row)
        assert injection.felt == 1
    assert _rows(postgres) == kept
    await driver.close()


@pytest.mark.parametrize("kind", DRIVERS, ids=lambda kind: kind.__name__)
async def test_at_commit_the_transaction_is_over_and_nothing_of_it_is_kept(
    kind: Callable[[], Driver], postgres: Postgres
) -> None:
    driver = await connected(kind, postgres.dsn)
    for number, code in enumerate(CODES):
        with postgres.inject(ServerError(code, on=Commit())) as injection:
            for row, before in enumerate(BEFORE_COMMIT, 3 * number):
                for words in before:
                    await driver.run(words)
                if before:
                    await insert(driver, -1)
                with pytest.raises(Exception) as refusal:  # noqa: PT011
                    await driver.run("commit")
                assert sqlstate_of(refusal.value) == code
                await insert(driver, row)  # outside any transaction: it stays
        # pgJDBC prepares a statement anew, and runs it once more, if the server has lost it.
        tries = 2 if kind is PgJdbc and code == "26000" else 1
        assert injection.felt == 3 * tries
    assert _rows(postgres) == list(range(3 * len(CODES)))
    await driver.close()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", DRIVERS, ids=lambda kind: kind.__name__)
async def test_fatal_ends_the_session_as_the_server_does(
    kind: Callable[[], Driver], step: str, postgres: Postgres
) -> None:
    truth = await true_end(kind, postgres.dsn)
    driver = await connected(kind, postgres.dsn)
    await driver.run("begin")
    await insert(driver, 1)
    fault = ServerError("57P01", on=Statement("insert", at=AT[step]), fatal=True, times=1)
    with postgres.inject(fault):
        with pytest.raises(Exception) as refusal:  # noqa: PT011
            await insert(driver, 2, simple=step == "query")
        assert (type(refusal.value), sqlstate_of(refusal.value)) == truth
    with pytest.raises(Exception):  # noqa: B017, PT011 (each driver has its own)
        await insert(driver, 3)
    await drop(driver)
    assert _rows(postgres) == []
    again = await connected(kind, postgres.dsn)
    await insert(again, 4)
    await again.close()
    assert _rows(postgres) == [4]


async def test_a_prepared_statement_fails_by_its_text_long_after_it_was_parsed(
    postgres: Postgres,
) -> None:
    driver = Asyncpg()
    await driver.connect(postgres.dsn)
    statement = await driver._connection.prepare("insert into kept values ($1)")
    await statement.fetch(1)
    with postgres.inject(ServerError("40001", on=Statement("insert into kept"))) as injection:
        for _ in range(3):
            with pytest.raises(Exception, match="could not serialize access"):
                await statement.fetch(2)
        assert injection.felt == 3
    await statement.fetch(3)
    assert _rows(postgres) == [1, 3]
    await driver.close()


def _pipelined(connection: psycopg.Connection[Any], *numbers: int | str) -> None:
    """Insert numbers and run words, all in one pipeline."""
    with connection.pipeline():
        for one in numbers:
            if isinstance(one, str):
                connection.execute(cast("Any", one))
            else:
                connection.execute("insert into kept values (%s)", [one])


async def test_a_pipeline_is_skipped_to_its_sync_and_its_implicit_transaction_undone(
    postgres: Postgres,
) -> None:
    driver = PsycopgPipeline()
    await driver.connect(postgres.dsn)
    connection = driver._connection
    for number, code in enumerate(CODES):
        fault = ServerError(code, on=Statement("insert into kept"), nth=2, times=1)
        with postgres.inject(fault):
            with pytest.raises(psycopg.Error) as refusal:
                _pipelined(connection, -1, -2, -3)
            assert refusal.value.sqlstate == code
        _pipelined(connection, 2 * number, 2 * number + 1)
    assert _rows(postgres) == list(range(2 * len(CODES)))
    await driver.close()


async def test_a_pipelined_commit_fails(postgres: Postgres) -> None:
    driver = PsycopgPipeline()
    await driver.connect(postgres.dsn)
    connection = driver._connection
    with (
        postgres.inject(ServerError("40001", on=Commit())),
        pytest.raises(psycopg.errors.SerializationFailure),
    ):
        _pipelined(connection, "begin", 1, "commit", 2)
    assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
    assert _rows(postgres) == []
    connection.execute("insert into kept values (%s)", [3])
    assert _rows(postgres) == [3]
    await driver.close()


async def test_a_simple_query_of_several_statements_fails_as_a_whole(postgres: Postgres) -> None:
    driver = Psycopg()
    await driver.connect(postgres.dsn)
    with postgres.inject(ServerError("40001", on=Statement(re.escape("values (2)")))):
        with pytest.raises(Exception) as refusal:  # noqa: PT011
            await driver.run("insert into kept values (1); insert into kept values (2)")
        assert sqlstate_of(refusal.value) == "40001"
    assert _rows(postgres) == []
    await insert(driver, 3)
    assert _rows(postgres) == [3]
    await driver.close()


def _copied(connection: psycopg.Connection[Any], count: int) -> None:
    with connection.cursor() as cursor, cursor.copy("copy kept from stdin") as copy:
        for number in range(count):
            copy.write_row([number])


async def test_copy_fails(postgres: Postgres, proxy: str) -> None:
    driver = Psycopg()
    await driver.connect(postgres.dsn)
    wire = postgres._route.engine.wire
    when = When(("CopyData",), StreamDirection.UPSTREAM, sql="copy kept")
    wire.add_rule(proxy, Rule(when, Error("53100"), "full"))
    with pytest.raises(psycopg.errors.DiskFull):
        _copied(driver._connection, 100_000)
    assert wire.remove_rule(proxy, "full").hits == 1
    _copied(driver._connection, 1)
    assert _rows(postgres) == [0]
    await driver.close()
