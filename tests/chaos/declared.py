"""The declarations of the broken services: `--brownout-service=tests.chaos.declared:sound`."""

from brownout import Service
from tests.chaos import broken
from tests.controls.kiosk.declaration import declared_kiosk

__all__: list[str] = []


def __getattr__(name: str) -> Service:
    """Return the declaration of the service of that name (PEP 562)."""
    if name not in broken.__all__:
        raise AttributeError(name)
    return declared_kiosk(f"tests.chaos.broken:{name}")
