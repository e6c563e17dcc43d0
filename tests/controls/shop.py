"""The declaration of a control that breaks the sample service."""

import sys

from brownout import Budget, Health, Operation, Service, seconds

__all__ = ["declared_shop"]


def declared_shop(app: str) -> Service:
    """Declare the sample service that the factory `app` ("module:function") creates."""
    return Service(
        command=[
            *(sys.executable, "-m", "uvicorn", "--factory", app),
            *("--port", "{port}", "--log-level", "warning", "--no-server-header"),
        ],
        env={"SHOP_DATABASE_URL": "{dsn}"},
        prepare=[[sys.executable, "-m", "sample_service.migrate"]],
        health=Health(live="/health/live", ready="/health/ready"),
        operations=[
            Operation.read("list-orders", "GET", "/orders?limit=10"),
            Operation.write(
                "place-order",
                "POST",
                "/orders",
                json={"customer": "{token}", "sku": "tea", "quantity": 1},
                success=[201],
            ),
        ],
        budget=Budget(request=seconds(2), recovery=seconds(3), pool=5),
    )
