"""The declarations of the broken services: `--brownout-service=tests.chaos.declared:sound`."""

from dataclasses import replace
from types import ModuleType
from typing import Final

from brownout import Operation, Service
from tests.chaos import broken, broken_pools, broken_writes
from tests.controls.kiosk.declaration import declared_kiosk

__all__: list[str] = []

_FIND: Final = Operation.read(
    "find-orders", "GET", "/customers/{token}/orders", reads_back="place-order"
)
_FINDING: Final = ("finds_orders", "remembers_what_is_missing")
_MODULES: Final[tuple[ModuleType, ...]] = (broken, broken_pools, broken_writes)


def __getattr__(name: str) -> Service:
    """Return the declaration of the service of that name (PEP 562)."""
    for module in _MODULES:
        if name in module.__all__ and name.islower():
            declared = declared_kiosk(f"{module.__name__}:{name}")
            if name in _FINDING:
                declared = replace(declared, operations=(*declared.operations, _FIND))
            if name == "keeps_keys_unlogged":
                declared = replace(declared, seed=(*declared.seed, broken_writes.KEYS))
            return declared
    raise AttributeError(name)
