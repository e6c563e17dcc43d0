"""Orders are placed once, against stock, in one transaction."""

import asyncio
import secrets

import pytest

from brownout.postgres import Postgres
from sample_service.app import Parts
from sample_service.resilience.failures import ConnectionLost
from sample_service.resilience.pool import Connection
from sample_service.settings import Settings
from sample_service.shop.orders import NewOrder, Order, Orders
from tests.sample_service.shop import Shop, new_customer, opened, patient, problem

pytestmark = pytest.mark.asyncio(loop_scope="session")

INVARIANT = """
    SELECT (SELECT sum(stock) FROM products)
         + (SELECT coalesce(sum(quantity), 0) FROM orders WHERE cancelled_at IS NULL)"""


async def test_an_order_can_be_read_at_its_location(shop: Shop) -> None:
    placed = await shop.order()
    assert placed.status_code == 201
    assert (await shop.get(placed.headers["location"])).json() == placed.json()


async def test_the_same_key_again_gives_the_same_answer_and_one_order(shop: Shop) -> None:
    customer, key = new_customer(), secrets.token_hex(8)
    first = await shop.order(key=key, customer=customer)
    await shop.client.delete(first.headers["location"])
    again = await shop.order(key=key, customer=customer)
    assert (again.status_code, again.content) == (201, first.content)
    assert len((await shop.get(f"/orders?customer={customer}")).json()["orders"]) == 1


async def test_the_same_key_for_another_order_is_refused(shop: Shop) -> None:
    key = secrets.token_hex(8)
    await shop.order(key=key, quantity=1)
    reused = problem(await shop.order(key=key, quantity=2))
    assert (reused["status"], reused["type"].rpartition("/")[2]) == (422, "idempotency-key-reused")


async def test_concurrent_requests_with_one_key_make_one_order(shop: Shop) -> None:
    customer, key = new_customer(), secrets.token_hex(8)
    answers = await asyncio.gather(*(shop.order(key=key, customer=customer) for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len((await shop.get(f"/orders?customer={customer}")).json()["orders"]) == 1


class LooksTooEarly(Orders):
    """Looks the key up just before the other request's order exists."""

    async def _placed_before(self, *_: object, again: bool) -> None:
        """Find nothing."""


async def test_a_key_that_was_used_since_its_look_up_is_in_use(settings: Settings) -> None:
    customer, key = new_customer(), secrets.token_hex(8)
    async with opened(patient(settings), Parts(orders=LooksTooEarly)) as shop:
        await shop.order(key=key, customer=customer)
        second = await shop.order(key=key, customer=customer)
        listed = (await shop.get(f"/orders?customer={customer}")).json()["orders"]
    body = problem(second)
    assert (body["status"], body["type"].rpartition("/")[2]) == (409, "idempotency-key-in-use")
    assert second.headers["retry-after"] == "1"
    assert len(listed) == 1


class LosesTheFirstAttempt(Orders):
    """Loses its connection at the first attempt."""

    async def _placed_before(
        self, connection: Connection, new: NewOrder, key: str, *, again: bool
    ) -> Order | None:
        """Look the key up at a later attempt."""
        if not again:
            raise ConnectionLost
        return await super()._placed_before(connection, new, key, again=again)


async def test_the_session_of_its_own_lost_attempt_is_no_other_request(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    key = secrets.token_hex(8)
    with brownout_postgres.admin.connect() as session:
        session.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        async with opened(patient(settings), Parts(orders=LosesTheFirstAttempt)) as shop:
            body = problem(await shop.order(key=key))
    assert (body["status"], body["type"].rpartition("/")[2]) == (503, "database-unavailable")


async def test_more_than_the_stock_cannot_be_ordered(shop: Shop) -> None:
    refused = problem(await shop.order(sku="collectible", quantity=2))
    assert (refused["status"], refused["origin"]) == (409, "domain")


async def test_an_unknown_product_cannot_be_ordered(shop: Shop) -> None:
    assert problem(await shop.order(sku="nothing"))["status"] == 422


async def test_a_cancelled_order_gives_its_stock_back_once(
    shop: Shop, brownout_postgres: Postgres
) -> None:
    before = brownout_postgres.query(INVARIANT)
    place = (await shop.order(quantity=7)).headers["location"]
    first = await shop.client.delete(place)
    again = await shop.client.delete(place)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert brownout_postgres.query(INVARIANT) == before


async def test_stock_and_orders_add_up_after_concurrent_requests(
    shop: Shop, brownout_postgres: Postgres
) -> None:
    before = brownout_postgres.query(INVARIANT)
    placed = await asyncio.gather(*(shop.order(quantity=3) for _ in range(20)))
    places = [answer.headers["location"] for answer in placed if answer.status_code == 201]
    assert places
    await asyncio.gather(*(shop.client.delete(place) for place in places[::2]))
    assert brownout_postgres.query(INVARIANT) == before


async def test_orders_are_listed_page_by_page(shop: Shop) -> None:
    customer = new_customer()
    placed = [(await shop.order(customer=customer)).json()["id"] for _ in range(5)]
    listed: list[int] = []
    page = {"next": 2**63 - 1}
    while page["next"]:
        answer = await shop.get(f"/orders?customer={customer}&limit=2&before={page['next']}")
        page = answer.json()
        listed += [order["id"] for order in answer.json()["orders"]]
    assert listed == sorted(placed, reverse=True)
