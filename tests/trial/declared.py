"""A declaration that tests name with `--brownout-service`."""

from tests.controls.kiosk.declaration import declared_kiosk

__all__ = ["sound"]

sound = declared_kiosk("tests.controls.kiosk.app:kiosk")
"""The kiosk, which keeps every promise."""
