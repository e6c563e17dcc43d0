"""Every control's declaration: `--brownout-service=tests.controls.declared:empty_instead`."""

from dataclasses import replace

from brownout import Service
from tests.controls.catalogue import CONTROLS
from tests.controls.control import Base, Control
from tests.controls.kiosk.declaration import declared_kiosk
from tests.controls.shop import declared_shop

__all__ = ["declaration_of"]


def declaration_of(control: Control) -> Service:
    """Return the declaration of the control's service."""
    if control.base is Base.SHOP:
        return declared_shop(control.app)
    return replace(declared_kiosk(control.app), **control.declares)


def __getattr__(name: str) -> Service:
    """Return the declaration of the control of that name (PEP 562)."""
    if name not in CONTROLS:
        raise AttributeError(name)
    return declaration_of(CONTROLS[name])
