"""The services that `benchmarks.verdict` judges: the controls' kiosk, sound and without clocks."""

from tests.controls.catalogue import CONTROLS
from tests.controls.declared import declaration_of
from tests.controls.kiosk.declaration import declared_kiosk

__all__ = ["hanging", "sound"]

sound = declared_kiosk("tests.controls.kiosk.app:kiosk")
hanging = declaration_of(CONTROLS["no_timeouts"])
