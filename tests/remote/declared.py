"""How the kiosk is declared that runs already: nothing says how to start it."""

from dataclasses import replace

from brownout import Health, Operation
from tests.controls.kiosk.declaration import declared_kiosk

__all__ = ["kiosk", "kiosk_by_customer", "nothing"]

kiosk = replace(declared_kiosk("tests.controls.kiosk.app:kiosk"), command=(), env={}, seed=())

kiosk_by_customer = replace(
    kiosk,
    operations=(
        *kiosk.operations,
        Operation.read("orders-of", "GET", "/orders?customer={token}", reads_back="place-order"),
    ),
)

nothing = replace(kiosk, operations=(), health=Health(live=None, ready=None))
