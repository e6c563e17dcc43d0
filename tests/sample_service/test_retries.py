"""Which orders are retried when a connection ends at each step of the protocol.

Each fault acts once, so a second attempt would succeed, whether or not it is correct to make one.
"""

import secrets
from typing import Final

import httpx
import pytest

from brownout.faults import (
    Commit,
    CommitNeverArrives,
    CutAt,
    Fault,
    Loss,
    LostCommitReply,
    ServerError,
    Side,
    Statement,
)
from brownout.postgres import Postgres
from sample_service.app import Parts
from sample_service.resilience.pool import Connection
from sample_service.settings import Settings
from sample_service.shop.orders import NewOrder, Order, Orders
from tests.sample_service.shop import new_customer, opened, patient, problem, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLACING = Statement("INSERT INTO orders")

NOTHING_WAS_DONE = [
    *(CutAt(Statement("BEGIN"), side, times=1) for side in Side),
    *(CutAt(PLACING, side, times=1) for side in Side),
    CutAt(PLACING, Side.AFTER, reset=True, times=1),
    ServerError("57P01", on=PLACING, fatal=True, times=1),
    ServerError("40001", on=PLACING, times=1),
    ServerError("40001", on=Commit(), times=1),
]
COMMIT_MAY_HAVE_ARRIVED: list[tuple[Fault, int]] = [
    (CommitNeverArrives(times=1), 0),
    (CommitNeverArrives(loss=Loss.RST, times=1), 0),
    (LostCommitReply(times=1), 1),
    (LostCommitReply(loss=Loss.RST, times=1), 1),
]
"""Each with the number of orders that result, which the service cannot know."""


UNFINISHED = """
    SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid
    WHERE locktype = 'advisory' AND datname = current_database() AND pid <> pg_backend_pid()"""
"""The other transactions that hold an order's key."""

PATIENT: Final = 30.0
"""Seconds until a test gives up; nothing waits so long when all is well."""


class AfterTheLost(Orders):
    """Looks for the key when the server, too, has ended the attempt whose connection was lost.

    It does so when it reads from that connection next. On a busy machine that may be after the
    next attempt, which finds the key in use; then the answer is commit-undetermined.
    """

    async def _placed_before(
        self, connection: Connection, new: NewOrder, key: str, *, again: bool
    ) -> Order | None:
        async def finished() -> bool:
            return not await connection.fetchval(UNFINISHED)

        await until(finished, within=PATIENT)
        return await super()._placed_before(connection, new, key, again=again)


async def placed(
    settings: Settings, postgres: Postgres, fault: Fault, key: str | None = None
) -> tuple[httpx.Response, int]:
    """Place an order under the fault; return the answer and the resulting number of orders."""
    customer = new_customer()
    async with opened(patient(settings), Parts(orders=AfterTheLost)) as shop:
        with postgres.inject(fault):
            answer = await shop.order(key=key, customer=customer)
    [[number]] = postgres.query("SELECT count(*) FROM orders WHERE customer = $1", customer)
    return answer, int(number)


@pytest.mark.parametrize("fault", NOTHING_WAS_DONE, ids=repr)
async def test_an_order_lost_before_its_commit_is_placed_again_without_a_key(
    settings: Settings, brownout_postgres: Postgres, fault: Fault
) -> None:
    answer, orders = await placed(settings, brownout_postgres, fault)
    assert answer.status_code == 201
    assert orders == 1


@pytest.mark.parametrize(("fault", "kept"), COMMIT_MAY_HAVE_ARRIVED, ids=repr)
async def test_an_order_whose_commit_may_have_arrived_is_not_placed_again_without_a_key(
    settings: Settings, brownout_postgres: Postgres, fault: Fault, kept: int
) -> None:
    answer, orders = await placed(settings, brownout_postgres, fault)
    body = problem(answer)
    assert (body["status"], body["type"].rpartition("/")[2]) == (504, "commit-undetermined")
    assert orders == kept


@pytest.mark.parametrize("fault", [fault for fault, _ in COMMIT_MAY_HAVE_ARRIVED], ids=repr)
async def test_with_a_key_it_is_placed_once(
    settings: Settings, brownout_postgres: Postgres, fault: Fault
) -> None:
    answer, orders = await placed(settings, brownout_postgres, fault, key=secrets.token_hex(8))
    assert answer.status_code == 201
    assert orders == 1
