"""Services with nothing wrong in them: what is broken, if anything, is what they declare."""

from tests.controls.kiosk.app import kiosk

__all__ = ["liveness_elsewhere", "no_readiness", "whole_kiosk"]

whole_kiosk = no_readiness = liveness_elsewhere = kiosk
