"""The services that `benchmarks.verdict` judges: the controls' kiosk, sound and without clocks."""

from starlette.applications import Starlette

from tests.controls.catalogue import CONTROLS
from tests.controls.declared import declaration_of
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.declaration import declared_kiosk
from tests.controls.kiosk.retrying import Retrying

__all__ = ["hanging", "sound", "sound_kiosk"]


def sound_kiosk() -> Starlette:
    """The kiosk that also tries conflicting transactions again."""
    return kiosk(counter=Retrying)


sound = declared_kiosk("benchmarks.verdict_services:sound_kiosk")
hanging = declaration_of(CONTROLS["no_timeouts"])
