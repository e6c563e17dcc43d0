"""The service that this checkout's suites judge: the sample shop."""

import atexit
import os
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from brownout import Breaker, Budget, Degraded, Errors, Health, Operation, Service, ms, seconds


@cache
def snapshots() -> str:
    """A folder for the snapshots of the catalogue, which is removed as this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="shop-")
    atexit.register(folder.cleanup)
    return folder.name


@pytest.fixture(scope="session")
def service_under_test() -> Service:
    """The sample service, as its team declares it; with SHOP_WORKERS=4, in four processes."""
    workers = int(os.environ.get("SHOP_WORKERS", "1"))
    return Service(
        command=[sys.executable, "-m", "sample_service"],
        env={
            "PYTHONPATH": str(Path(__file__).parent),
            "SHOP_DATABASE_URL": "{dsn}",
            "SHOP_PORT": "{port}",
            "SHOP_WORKERS": str(workers),
            # The suites wait for these often: readiness turns after two looks at the database,
            # and an open breaker lets one request try after its rest.
            "SHOP_HEALTH_INTERVAL": "0.1",
            "SHOP_BREAKER_REST": "0.1",
            # One when it starts; more would be queries that no request has asked for.
            "SHOP_SNAPSHOT": f"{snapshots()}/{{database_name}}.sqlite",
            "SHOP_SNAPSHOT_INTERVAL": "60",
            # No balancer is to hear of a stop.
            "SHOP_DRAIN_DELAY": "0",
        },
        workers=workers,
        prepare=[[sys.executable, "-m", "sample_service.migrate"]],
        seed=[
            "insert into orders (customer, sku, quantity, total_cents) values ('a', 'tea', 1, 490)"
        ],
        health=Health(live="/health/live", ready="/health/ready", startup="/health/startup"),
        operations=[
            Operation.read(
                "list-orders", "GET", "/orders?limit=10", deadline_header="X-Request-Timeout-Ms"
            ),
            Operation.read(
                "list-products",
                "GET",
                "/products",
                degraded=Degraded(marker="Age", max_age=seconds(600)),
            ),
            Operation.read(
                "quote-shipping", "GET", "/shipping-quote?weight=500", needs_database=False
            ),
            Operation.write(
                "place-order",
                "POST",
                "/orders",
                json={"customer": "{token}", "sku": "tea", "quantity": 1},
                success=[201],
                applied="select count(*) from orders where customer = $1",
                idempotency_header="Idempotency-Key",
                deadline_header="X-Request-Timeout-Ms",
                # What is in stock and what was ordered.
                invariant="select (select sum(stock) from products)"
                " + (select sum(quantity) from orders where cancelled_at is null)",
            ),
            Operation.compute("draw-invoice", "GET", "/orders/1/invoice", needs_database=True),
        ],
        errors=Errors(origin="origin"),
        breaker=Breaker(failures=10, rest=ms(100), slow=ms(563)),
        budget=Budget(request=seconds(1), recovery=seconds(3), pool=5, concurrency=55 * workers),
    )
