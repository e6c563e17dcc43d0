"""The kiosk with a breaker or a fallback that is wrong."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

import asyncio
from contextlib import suppress
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.controls.broken.bundle import bundle
from tests.controls.broken.callers import CancelOnDisconnect
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.front import EXPECTED, Front
from tests.controls.kiosk.guarded import Guarded

__all__ = [
    "KEPT",
    "breaker_that_stays_open",
    "counting_only_bundle",
    "fallback_bundle",
    "held_breaker_bundle",
    "menu_from_the_fallback_for_good",
]

KEPT: Final = 4.0
"""For how long the last menu is good, in seconds."""


class CountsOnly(Guarded):
    """Counts, and asks the database all the same."""

    def refuse(self) -> None:
        """Refuse nothing."""


class MenuWithoutAge(Front):
    """Serves an old menu like a new one."""

    async def menu(self, request: Request) -> Response:
        """Return the menu, or the last one, without its age."""
        with suppress(*EXPECTED):
            self._menu = await self.counter.orders(self.deadline(request))
        return JSONResponse(self._menu)


class MenuThatTells(Front):
    """Says why the menu is old, but not that it is where the database was too slow, and has a page
    instead of a menu that is too old."""

    async def menu(self, request: Request) -> Response:
        """Return the menu, or the last one."""
        now = asyncio.get_running_loop().time()
        try:
            self._menu = await self.counter.orders(self.deadline(request))
        except TimeoutError:
            return JSONResponse({"orders": self._menu})
        except EXPECTED as error:
            if self._menu_of is None or now - self._menu_of > KEPT:
                return HTMLResponse("<h1>Internal Server Error</h1>", 500)
            told = {"orders": self._menu, "reason": str(error)}
            return JSONResponse(told, headers={"Age": f"{now - self._menu_of:.0f}"})
        self._menu_of = now
        return JSONResponse({"orders": self._menu})


def fallback_bundle() -> Starlette:
    """Create the kiosk with three independent defects."""
    return kiosk(front=MenuThatTells)


class MenuFromTheFallbackForGood(Front):
    """Once it had to use its fallback, it does not ask the database for the menu any more."""

    _use_cache = False

    async def menu(self, request: Request) -> Response:
        """Return the menu, or the last one with its age."""
        if self._use_cache and self._menu_of is not None:
            age = asyncio.get_running_loop().time() - self._menu_of
            return JSONResponse(self._menu, headers={"Age": f"{age:.0f}"})
        response = await super().menu(request)
        self._use_cache = "Age" in response.headers
        return response


def menu_from_the_fallback_for_good() -> Starlette:
    """Create the kiosk with `MenuFromTheFallbackForGood`."""
    return kiosk(front=MenuFromTheFallbackForGood)


def counting_only_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(counter=CountsOnly, front=MenuWithoutAge)


class WaitsForItsTrial(Guarded):
    """Waits for the end of a trial whose caller went away."""

    def trial_ended(self) -> None:
        """Do nothing: `count` ends a trial, if it comes to that."""

    def count(self, *, failed: bool) -> None:
        """Count one outcome, and end the trial."""
        super().count(failed=failed)
        self._trial = False


class CountsCallersErrors(Guarded):
    """Opens for errors of the callers, too."""

    def blames_database(self, error: Exception) -> bool:
        """Blame the database for each error."""
        return True


def held_breaker_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    app = kiosk(counter=bundle(WaitsForItsTrial, CountsCallersErrors))
    app.add_middleware(CancelOnDisconnect)
    return app


class StaysOpen(Guarded):
    """Never tries again."""

    def allows_trial(self, rested: float) -> bool:
        """Allow none."""
        return False


def breaker_that_stays_open() -> Starlette:
    """Create the kiosk with `StaysOpen`."""
    return kiosk(counter=StaysOpen)
