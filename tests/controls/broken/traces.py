"""The kiosk with errors that lead nowhere."""

import secrets
from http import HTTPStatus

from starlette.applications import Starlette

from tests.controls.kiosk.app import kiosk
from tests.controls.kiosk.front import Front
from tests.controls.kiosk.refusals import Refused

__all__ = ["ids_that_are_not_logged", "log_without_sqlstate"]


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


def log_without_sqlstate() -> Starlette:
    """Create the kiosk with `LogWithoutSqlstate`."""
    return kiosk(front=LogWithoutSqlstate)
