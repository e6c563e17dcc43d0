"""A pool throws away what it should after an injected error, as after one of the server's own."""

import pytest

from brownout.faults import ServerError, Statement
from brownout.postgres import Postgres
from tests.wire.codes import CODES
from tests.wire.drivers import HikariCp, connected, sqlstate_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _session(pool: HikariCp) -> int:
    [(pid,)] = await pool.run("select pg_backend_pid() where 1 = ?", 1)
    return int(pid)


async def _is_kept(pool: HikariCp, failing: str, code: str) -> bool:
    """Whether the pool lends the same session again after the statement has failed."""
    before = await _session(pool)
    with pytest.raises(Exception) as refusal:  # noqa: PT011
        await pool.run(failing)
    assert sqlstate_of(refusal.value) == code
    return await _session(pool) == before


async def test_hikaricp_keeps_or_replaces_a_session_as_by_the_servers_own_refusal(
    postgres: Postgres,
) -> None:
    pool = await connected(HikariCp, postgres.dsn)
    seen = set()
    for code in CODES:
        raised = f"do $$ begin raise exception 'no' using errcode = '{code}'; end $$"
        truth = await _is_kept(pool, raised, code)
        with postgres.inject(ServerError(code, on=Statement("^select 7"))):
            assert await _is_kept(pool, "select 7", code) == truth, code
        seen.add(truth)
    assert seen == {True, False}
    await pool.close()


async def test_hikaricp_replaces_a_session_that_ended(postgres: Postgres) -> None:
    pool = await connected(HikariCp, postgres.dsn)
    fault = ServerError("57P01", on=Statement("^select 7"), fatal=True, times=1)
    with postgres.inject(fault) as injection:
        assert not await _is_kept(pool, "select 7", "57P01")
    assert injection.felt == 1
    await pool.close()
