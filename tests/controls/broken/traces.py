"""The kiosk with errors that lead nowhere."""

import secrets
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.responses import Response

from tests.controls.broken.bundle import bundle
from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.front import TRACE, Front
from tests.controls.kiosk.refusals import Refused

__all__ = ["ids_that_are_not_logged", "traces_bundle"]


class AnotherIdInTheLog(Front):
    """Makes an id for the answer and another one for the log."""

    def log(self, trace_id: str, refused: Refused) -> None:
        """Write the line with an id of its own."""
        super().log(secrets.token_hex(len(trace_id) // 2), refused)


def ids_that_are_not_logged() -> Starlette:
    """Create the kiosk with `AnotherIdInTheLog`."""
    return kiosk(front=AnotherIdInTheLog)


class LogWithoutSqlstate(Front):
    """Logs what the caller was told, and not what the database said."""

    def log(self, trace_id: str, refused: Refused) -> None:
        """Write the line without the SQLSTATE."""
        super().log(trace_id, Refused(HTTPStatus(refused.status), refused.detail))


class TraceOfItsOwn(Front):
    """Begins a new trace for each error."""

    def problem(self, refused: Refused) -> Response:
        """Answer with an id that is not the caller's."""
        TRACE.set(None)
        return super().problem(refused)


def traces_bundle() -> Starlette:
    """Create the kiosk with two independent defects."""
    return kiosk(front=bundle(LogWithoutSqlstate, TraceOfItsOwn))
