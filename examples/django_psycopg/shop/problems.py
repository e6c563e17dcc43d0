"""Every error in one format (RFC 9457); its cause is in the log, under the same id."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, DataError, IntegrityError
from django.http import HttpRequest, HttpResponse, JsonResponse

from .database import Busy, Undetermined, sqlstate

DEADLINE = 2.7
"""Seconds for all steps of a request; callers are promised an answer within 3 s."""

log = logging.getLogger("shop")


class Invalid(Exception):
    """A refusal that is the caller's own doing."""

    def __init__(self, status: int, title: str) -> None:
        super().__init__(title)
        self.status = status


class Problems:
    """Middleware: gives each request its deadline and its trace id, and each error its format."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        """Answer, whatever happens."""
        request.until = time.monotonic() + DEADLINE
        sent = re.fullmatch(
            r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", request.headers.get("traceparent", "")
        )
        request.trace = sent[1] if sent else uuid.uuid4().hex
        answer = self._get_response(request)
        if answer.status_code < 400 or "json" in answer.headers["Content-Type"]:
            return answer
        # Django's own refusals: unknown paths, wrong methods.
        allowed = {name: answer.headers[name] for name in ("Allow",) if name in answer.headers}
        return problem(request, answer.status_code, answer.reason_phrase, None, **allowed)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse:
        """Answer an error of a view."""
        match error:
            case Invalid():
                return problem(request, error.status, str(error), error)
            case Undetermined():
                title = "It is not known whether the order was placed"
                return problem(request, 504, title, error.__cause__)
            case IntegrityError():
                return problem(request, 409, "There is such an order already", error)
            case DataError():
                return problem(request, 422, "The request is invalid", error)
            case DatabaseError() | Busy():
                return problem(request, 503, "The database is unavailable", error, Retry_After="1")
        log.exception("unforeseen", exc_info=error)
        return problem(request, 500, "Internal error", error)


def problem(
    request: Any, status: int, title: str, error: BaseException | None, **headers: str
) -> HttpResponse:
    """Answer in the one format, and log the cause under the same id."""
    log.error(
        "%s %s %s: %s, %s %s %s",
        *(request.trace, request.method, request.path, status),
        *(type(error).__name__, sqlstate(error), str(error).partition("\n")[0]),
    )
    body = {"type": "about:blank", "title": title, "status": status, "trace_id": request.trace}
    answer = JsonResponse(body, status=status, content_type="application/problem+json")
    for name, value in headers.items():
        answer.headers[name.replace("_", "-")] = value
    return answer
