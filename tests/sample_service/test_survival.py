"""How requests end while the database misbehaves."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from brownout import kib
from brownout.faults import (
    BlackHole,
    LockedTables,
    NoFreeSlots,
    Outage,
    TerminatedBackends,
)
from brownout.postgres import Postgres
from sample_service.api.boundary import LISTEN_AFTER
from sample_service.app import Parts
from sample_service.resilience.budget import MADE
from sample_service.resilience.circuit import Circuit
from sample_service.resilience.database import Database
from sample_service.resilience.deadline import Deadline
from sample_service.resilience.failures import CommitUndetermined
from sample_service.resilience.pool import Connection, Pool
from sample_service.settings import Settings
from sample_service.shop.snapshot import Snapshots
from tests.sample_service.shop import (
    IN_TIME,
    Shop,
    new_customer,
    opened,
    patient,
    problem,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

T = TypeVar("T")

AMPLE = 15.0
"""Seconds for steps that a test is not about, even if the machine stalls."""


async def recovered(shop: Shop, *, within: float = AMPLE) -> None:
    """Wait until the shop is ready and answers one request per connection in a row."""

    async def steady() -> bool:
        answers = [await shop.get(path) for path in ("/health/ready", *["/orders"] * 5)]
        return all(answer.status_code == 200 for answer in answers)

    await until(steady, within=within)


async def test_a_database_that_never_answers_ends_requests_in_time(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    async with opened(settings) as shop:
        await recovered(shop)
        with brownout_postgres.inject(BlackHole()):
            answers = await asyncio.gather(*(shop.timed("/orders") for _ in range(12)))
        await recovered(shop)
    assert max(seconds for _, seconds in answers) < IN_TIME
    assert {problem(answer)["status"] for answer, _ in answers} == {503}
    assert all("retry-after" in answer.headers for answer, _ in answers)


async def test_a_refused_connection_is_a_fast_refusal(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    patient_settings = patient(settings)
    async with opened(patient_settings) as shop:
        await recovered(shop)
        with brownout_postgres.inject(Outage()):
            answer, seconds = await shop.timed("/orders")
        await recovered(shop)
    assert problem(answer)["origin"] == "database"
    assert seconds < patient_settings.pool_patience


async def test_killed_sessions_cost_no_request(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    async with opened(patient(settings)) as shop:
        await recovered(shop)
        with brownout_postgres.inject(TerminatedBackends()):
            answers = await asyncio.gather(*(shop.get("/orders") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}


async def test_no_free_slots_is_a_refusal(settings: Settings, brownout_postgres: Postgres) -> None:
    async with opened(settings) as shop:
        await recovered(shop)
        with brownout_postgres.inject(NoFreeSlots()):
            answer = await shop.get("/orders")
        await recovered(shop)
    assert problem(answer)["status"] == 503


async def test_a_locked_table_leaves_a_connection_to_the_others(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    async with opened(settings) as shop:
        await recovered(shop)
        with brownout_postgres.inject(LockedTables(tables=("public.orders",))):
            waiting = [asyncio.create_task(shop.timed("/orders")) for _ in range(20)]
            await asyncio.sleep(0)
            products = await shop.get("/products")
            answers = await asyncio.gather(*waiting)
        await recovered(shop)
    assert (products.status_code, "age" in products.headers) == (200, False)
    assert max(seconds for _, seconds in answers) < IN_TIME


async def test_an_open_breaker_leaves_the_database_alone(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    async with opened(settings) as shop:
        with brownout_postgres.inject(Outage()):
            answers = [await shop.get("/orders") for _ in range(settings.breaker_threshold + 5)]
        origins = [problem(answer)["origin"] for answer in answers]
        assert origins[: settings.breaker_threshold] == ["database"] * settings.breaker_threshold
        assert set(origins[settings.breaker_threshold :]) == {"breaker"}
        await recovered(shop)


async def test_excess_requests_are_refused_immediately(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    room = settings.pool_size + settings.pool_queue
    async with opened(settings) as shop:
        await recovered(shop)
        with brownout_postgres.inject(LockedTables(tables=("public.orders",))):
            inside = [asyncio.create_task(shop.get("/orders")) for _ in range(room)]
            await asyncio.sleep(0)
            refused, seconds = await shop.timed("/orders")
            quote = await shop.get("/shipping-quote?weight=1")
            await asyncio.gather(*inside)
        await recovered(shop)
    assert problem(refused)["origin"] == "shedding"
    assert seconds < settings.pool_patience
    assert quote.status_code == 200


async def test_a_callers_shorter_deadline_is_kept(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    async with opened(settings) as shop:
        await recovered(shop)
        with brownout_postgres.inject(LockedTables(tables=("public.orders",))):
            begun = time.monotonic()
            answer = await shop.get("/orders", {"X-Request-Timeout-Ms": "300"})
            taken = time.monotonic() - begun
        await recovered(shop)
    assert problem(answer)["status"] == 503
    assert taken < settings.time_to_work()


async def test_hurried_callers_do_not_harm_others(settings: Settings) -> None:
    """They are refused before they cost a connection, and do not open the breaker."""
    full = f'shop_pool_connections{{what="open"}} {float(settings.pool_size)}'
    async with opened(settings) as shop:

        async def whole() -> bool:
            return full in (await shop.get("/metrics")).text

        await recovered(shop)
        await until(whole, within=AMPLE)
        for _ in range(settings.breaker_threshold * 2):
            refused = await shop.get("/orders", {"X-Request-Timeout-Ms": "1"})
            assert problem(refused)["origin"] == "database"
        assert await whole()
        assert (await shop.get("/orders")).status_code == 200


@pytest.mark.parametrize("wanted", ["0", "-1", "1.5", "soon", "9" * 10, "9" * 400, "9" * 5000])
async def test_an_invalid_deadline_is_refused(settings: Settings, wanted: str) -> None:
    async with opened(settings) as shop:
        answer = await shop.get("/shipping-quote?weight=1", {"X-Request-Timeout-Ms": wanted})
    assert problem(answer)["status"] == 400


async def test_the_catalogue_is_shown_stale_and_says_so(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    async with opened(settings) as shop:
        await recovered(shop)
        snapshot = settings.snapshot
        assert snapshot is not None

        async def saved() -> bool:
            return snapshot.exists() and snapshot.stat().st_size > kib(1)

        await until(saved, within=AMPLE)
        fresh = await shop.get("/products")
    with brownout_postgres.inject(Outage()):
        async with opened(settings) as restarted:
            stale = await restarted.get("/products")
    assert "age" not in fresh.headers
    assert stale.status_code == 200
    assert int(stale.headers["age"]) <= settings.snapshot_max_age
    assert {each["sku"] for each in stale.json()["products"]} >= {"tea"}


async def test_a_snapshot_of_another_version_is_not_used(
    settings: Settings, brownout_postgres: Postgres, tmp_path: Path
) -> None:
    path = tmp_path / "catalogue.sqlite"
    await Snapshots(path).save(b'[{"colour": "red"}]')
    with brownout_postgres.inject(Outage()):
        async with opened(settings.model_copy(update={"snapshot": path})) as shop:
            assert problem(await shop.get("/products"))["status"] == 503


async def test_a_catalogue_that_is_too_old_is_not_shown(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    aged = settings.model_copy(update={"snapshot_max_age": 1e-9})
    async with opened(aged) as shop:
        with brownout_postgres.inject(Outage()):
            assert problem(await shop.get("/products"))["status"] == 503


async def test_a_database_that_starts_after_the_service_is_found(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    with brownout_postgres.inject(Outage()):
        starting = opened(settings)
        shop = await starting.__aenter__()

        async def started() -> bool:
            return (await shop.get("/health/startup")).status_code == 200

        await until(started, within=AMPLE)
        assert (await shop.get("/health/live")).status_code == 200
        assert (await shop.get("/health/ready")).status_code == 503

    async def ready() -> bool:
        return (await shop.get("/health/ready")).status_code == 200

    await until(ready, within=AMPLE)
    await starting.__aexit__(None, None, None)


async def test_probes_do_not_wait_for_the_database(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    async with opened(settings) as shop:
        await recovered(shop)
        with brownout_postgres.inject(BlackHole()):

            async def unready() -> bool:
                answer, seconds = await shop.timed("/health/ready")
                assert seconds < IN_TIME
                return answer.status_code == 503

            await until(unready, within=AMPLE)
            answer = await shop.get("/health/ready")
    assert answer.headers["content-type"] == "application/health+json"
    assert answer.json()["status"] == "fail"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_callers_disconnect_ends_its_query(
    settings: Settings, brownout_postgres: Postgres, method: str
) -> None:
    async with opened(patient(settings)) as shop:
        await recovered(shop)
        with brownout_postgres.inject(LockedTables(tables=("public.orders",))) as locked:
            gone = asyncio.Event()
            order = [b'{"customer":"Ada","sku":"tea","quantity":1}'] if method == "POST" else []
            scope = {
                "type": "http",
                "method": method,
                "path": "/orders",
                "raw_path": b"/orders",
                "query_string": b"",
                "headers": [(b"content-type", b"application/json")],
                "http_version": "1.1",
                "scheme": "http",
                "server": ("shop", 80),
                "client": ("caller", 1),
            }

            async def receive() -> dict[str, object]:
                if order:  # a slow body
                    await asyncio.sleep(2 * LISTEN_AFTER)
                    return {"type": "http.request", "body": order.pop(), "more_body": False}
                await gone.wait()
                return {"type": "http.disconnect"}

            async def send(_: object) -> None:
                pytest.fail("The service answered a caller that had disconnected.")

            request = asyncio.create_task(shop.app(scope, receive, send))

            async def at_work() -> bool:
                return any(session.state == "active" for session in brownout_postgres.sessions())

            async def waiting() -> bool:
                return locked.felt > 0  # so it is past the statements before

            await until(waiting, within=AMPLE)
            gone.set()
            async with asyncio.timeout(AMPLE):  # a third of what its deadline would give it
                await request

            async def alone() -> bool:
                return not await at_work()

            await until(alone, within=AMPLE)
        await recovered(shop)


async def test_neither_errors_nor_cancellations_leak_a_connection(settings: Settings) -> None:
    kept: list[Database] = []

    def keeping(settings: Settings) -> Database:
        kept.append(Database(settings))
        return kept[-1]

    async with opened(patient(settings), Parts(database=keeping)) as shop:
        await recovered(shop)
        for number in range(40):
            calls = [asyncio.create_task(shop.order(sku=sku)) for sku in ("tea", "nothing") * 6]
            await asyncio.sleep(number / 4000)  # cancel at a different moment each time
            for call in calls[::3]:
                call.cancel()
            await asyncio.wait(calls)
        (database,) = kept

        async def all_back() -> bool:
            gates = (database.pool.gate, *(each.gate for each in database.circuits.values()))
            return not any(gate.taken or gate.waiting for gate in gates)

        await until(all_back, within=AMPLE)
        answers = await asyncio.gather(*(shop.get("/orders") for _ in range(20)))
        assert database.pool.size <= settings.pool_size
    assert {answer.status_code for answer in answers} == {200}


async def test_sessions_that_end_during_their_release_do_not_fail_the_warming(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    """Warming the pool is part of the watch on which readiness depends."""
    pool = Pool(patient(settings))
    await pool.open()
    warming = True

    async def end_sessions() -> None:
        number = 0
        while warming:
            await asyncio.to_thread(brownout_postgres.admin.terminate_sessions)
            number += 1
            await asyncio.sleep(number % 20 / 1000)

    ending = asyncio.create_task(end_sessions())
    try:
        for number in range(200):
            await pool.warm()
            await asyncio.sleep(number % 11 / 1000)  # at a different moment each time
    finally:
        warming = False
        await ending
        pool.close()
    assert pool.gate.taken == 0


class Conflicts(Database):
    """The first attempt of each unit does its work, and then meets a conflict."""

    async def write(
        self,
        deadline: Deadline,
        circuit: Circuit,
        unit: Callable[[Connection], Awaitable[T]],
        *,
        repeatable: bool,
    ) -> T:
        """Write with one conflict."""
        met = False

        async def conflicting(connection: Connection) -> T:
            nonlocal met
            result = await unit(connection)
            if not met:
                met = True
                await connection.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
            return result

        return await super().write(deadline, circuit, conflicting, repeatable=repeatable)


async def test_a_conflict_repeats_the_whole_transaction_and_is_counted(settings: Settings) -> None:
    customer = new_customer()
    retries = MADE._value.get()
    async with opened(patient(settings), Parts(database=Conflicts)) as shop:
        answer = await shop.order(customer=customer)
        listed = await shop.get(f"/orders?customer={customer}")
        text = (await shop.get("/metrics")).text
    assert answer.status_code == 201
    assert listed.json()["orders"] == [answer.json()]
    assert f'shop_retries_total{{what="made"}} {retries + 1}' in text


class NeverWorks(Database):
    """Every attempt loses its connection."""

    attempts = 0

    async def transact(
        self,
        deadline: Deadline,  # noqa: ARG002
        circuit: Circuit,  # noqa: ARG002
        unit: Callable[[Connection], Awaitable[T]],  # noqa: ARG002
    ) -> T:
        """Count the attempt, and raise."""
        NeverWorks.attempts += 1
        raise ConnectionResetError


async def test_only_retries_that_are_made_are_counted(settings: Settings) -> None:
    retries = MADE._value.get()
    async with opened(patient(settings), Parts(database=NeverWorks)) as shop:
        assert problem(await shop.order())["status"] == 503
    assert NeverWorks.attempts == 3
    assert MADE._value.get() - retries == 2


class LosesCommits(Database):
    """The first attempt's COMMIT takes effect, and its reply is lost."""

    lost = False

    async def transact(
        self, deadline: Deadline, circuit: Circuit, unit: Callable[[Connection], Awaitable[T]]
    ) -> T:
        """Commit, then raise on the first attempt."""
        result = await super().transact(deadline, circuit, unit)
        if not self.lost:
            self.lost = True
            raise CommitUndetermined
        return result


async def test_a_key_resolves_a_commit_whose_reply_was_lost(settings: Settings) -> None:
    customer = new_customer()
    async with opened(patient(settings), Parts(database=LosesCommits)) as shop:
        answer = await shop.order(key=secrets.token_hex(8), customer=customer)
        listed = await shop.get(f"/orders?customer={customer}")
    assert answer.status_code == 201
    assert listed.json()["orders"] == [answer.json()]


async def test_without_a_key_a_lost_commit_is_undetermined_and_not_repeated(
    settings: Settings,
) -> None:
    customer = new_customer()
    async with opened(patient(settings), Parts(database=LosesCommits)) as shop:
        answer = await shop.order(customer=customer)
        listed = await shop.get(f"/orders?customer={customer}")
    body = problem(answer)
    assert (body["status"], body["type"].rpartition("/")[2]) == (504, "commit-undetermined")
    assert len(listed.json()["orders"]) == 1
