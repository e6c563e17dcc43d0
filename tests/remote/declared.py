"""How the kiosk is declared that runs already: nothing says how to start it."""

from dataclasses import replace

from tests.controls.kiosk.declaration import declared_kiosk

__all__ = ["kiosk"]

kiosk = replace(declared_kiosk("tests.controls.kiosk.app:kiosk"), command=(), env={}, seed=())
