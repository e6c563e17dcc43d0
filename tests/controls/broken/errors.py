"""The sample service with other error handlers."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

import json
import traceback

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, Response

from sample_service.app import Parts, create_app
from sample_service.errors import ErrorHandlers
from sample_service.problems import INTERNAL_ERROR, Problem

__all__ = [
    "driver_text_in_a_header",
    "framework_plain_text",
    "html_page",
    "no_retry_after",
    "outage_is_a_bug",
    "own_shape_for_validation",
    "plain_json",
    "retry_after_soon",
    "status_of_the_body",
    "traceback_in_the_detail",
]


class HtmlPage(ErrorHandlers):
    """What nobody foresaw gets a page for people."""

    def on_unhandled(self, request: Request, error: Exception) -> Response:
        """A page."""
        super().on_unhandled(request, error)
        return HTMLResponse("<h1>Internal Server Error</h1>", 500)


def html_page() -> FastAPI:
    """See `HtmlPage`."""
    return create_app(parts=Parts(errors=HtmlPage))


class FrameworkPlainText(ErrorHandlers):
    """What nobody foresaw is left to the framework."""

    def on_unhandled(self, request: Request, error: Exception) -> Response:
        """Starlette's last resort answers in text/plain."""
        raise error


def framework_plain_text() -> FastAPI:
    """See `FrameworkPlainText`."""
    return create_app(parts=Parts(errors=FrameworkPlainText))


class PlainJson(ErrorHandlers):
    """Problems of the service's own leave as application/json."""

    async def on_problem(self, request: Request, error: Exception) -> Response:
        """The right body under the wrong name."""
        response = await super().on_problem(request, error)
        response.headers["Content-Type"] = "application/json"
        return response


def plain_json() -> FastAPI:
    """See `PlainJson`."""
    return create_app(parts=Parts(errors=PlainJson))


class OwnShapeForValidation(ErrorHandlers):
    """Problems for the database's errors; for validation what FastAPI does by itself."""

    def install(self, app: FastAPI) -> None:
        """Everything but validation."""
        own = dict(app.exception_handlers)
        super().install(app)
        app.exception_handlers.update(own)
        app.add_exception_handler(Problem, self.on_problem)


def own_shape_for_validation() -> FastAPI:
    """See `OwnShapeForValidation`."""
    return create_app(parts=Parts(errors=OwnShapeForValidation))


class StatusOfTheBody(ErrorHandlers):
    """The body says 500 whatever the answer's status is."""

    async def on_problem(self, request: Request, error: Exception) -> Response:
        """The answer with another status in its body."""
        response = await super().on_problem(request, error)
        body = json.dumps(json.loads(bytes(response.body)) | {"status": 500}).encode()
        return Response(body, response.status_code, headers=_without_length(response))


def _without_length(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name != "content-length"}


def status_of_the_body() -> FastAPI:
    """See `StatusOfTheBody`."""
    return create_app(parts=Parts(errors=StatusOfTheBody))


class OutageIsABug(ErrorHandlers):
    """A database that cannot be used is answered like a fault of the service's own."""

    async def on_problem(self, request: Request, error: Exception) -> Response:
        """500 for every 503."""
        if isinstance(error, Problem) and error.status == 503:
            error = Problem(INTERNAL_ERROR, "It was recorded.", sqlstate=error.sqlstate)
        return await super().on_problem(request, error)


def outage_is_a_bug() -> FastAPI:
    """See `OutageIsABug`."""
    return create_app(parts=Parts(errors=OutageIsABug))


class NoRetryAfter(ErrorHandlers):
    """Refuses, and does not say for how long."""

    async def on_problem(self, request: Request, error: Exception) -> Response:
        """The answer without the header."""
        response = await super().on_problem(request, error)
        if "Retry-After" in response.headers:
            del response.headers["Retry-After"]
        return response


def no_retry_after() -> FastAPI:
    """See `NoRetryAfter`."""
    return create_app(parts=Parts(errors=NoRetryAfter))


class RetryAfterSoon(ErrorHandlers):
    """A Retry-After that no client understands."""

    async def on_problem(self, request: Request, error: Exception) -> Response:
        """RFC 9110 §10.2.3 knows whole seconds and dates."""
        response = await super().on_problem(request, error)
        if "Retry-After" in response.headers:
            response.headers["Retry-After"] = "500ms"
        return response


def retry_after_soon() -> FastAPI:
    """See `RetryAfterSoon`."""
    return create_app(parts=Parts(errors=RetryAfterSoon))


class TracebackInTheDetail(ErrorHandlers):
    """Debugging aids left in."""

    def on_unhandled(self, request: Request, error: Exception) -> Response:
        """The traceback for everybody."""
        text = "".join(traceback.format_exception(error))
        return self.answer(request, Problem(INTERNAL_ERROR, text), cause=error)


def traceback_in_the_detail() -> FastAPI:
    """See `TracebackInTheDetail`."""
    return create_app(parts=Parts(errors=TracebackInTheDetail))


class DriverTextInAHeader(ErrorHandlers):
    """The body says nothing, the header does."""

    async def on_problem(self, request: Request, error: Exception) -> Response:
        """What the driver said, on one line."""
        response = await super().on_problem(request, error)
        response.headers["X-Cause"] = repr(error.__cause__).encode("ascii", "replace").decode()
        return response


def driver_text_in_a_header() -> FastAPI:
    """See `DriverTextInAHeader`."""
    return create_app(parts=Parts(errors=DriverTextInAHeader))
