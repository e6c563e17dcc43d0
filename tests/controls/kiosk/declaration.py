"""The kiosk's declaration."""

import sys

from brownout import Budget, Health, Operation, Service, seconds
from tests.controls.kiosk.board import NOTES
from tests.controls.kiosk.counter import SCHEMA
from tests.controls.kiosk.settings import DEADLINE, POOL, RECOVERY

__all__ = ["BUDGET", "CLOCK", "HEALTH", "ORDERS", "PLACE", "QUOTE", "declared_kiosk"]

HEALTH = Health(live="/health/live", ready="/health/ready")
ORDERS = Operation.read("list-orders", "GET", "/orders")
QUOTE = Operation.read("quote", "GET", "/quote", needs_database=False)
CLOCK = Operation.read("clock", "GET", "/clock")
PLACE = Operation.write(
    "place-order",
    "POST",
    "/orders",
    json={"customer": "{token}"},
    success=[201],
    applied="select count(*) from orders where customer = $1",
    idempotency_header="Idempotency-Key",
)
BUDGET = Budget(request=seconds(DEADLINE), recovery=seconds(RECOVERY), pool=POOL)


def declared_kiosk(app: str) -> Service:
    """Declare the kiosk that the factory `app` ("module:function") creates."""
    return Service(
        command=[
            *(sys.executable, "-m", "uvicorn", "--factory", app),
            *("--port", "{port}", "--log-level", "warning", "--no-server-header"),
        ],
        env={"DATABASE_URL": "{dsn}"},
        seed=[SCHEMA, NOTES],
        health=HEALTH,
        operations=(ORDERS, QUOTE, PLACE),
        budget=BUDGET,
    )
