"""Answers every error in one format, and logs one line for it."""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from sample_service.problems import (
    BAD_REQUEST,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    Problem,
)
from sample_service.resilience.failures import sqlstate_of

__all__ = ["ErrorHandlers", "ProblemResponse"]

FRAMEWORK = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED}

log = structlog.get_logger()


class ProblemResponse(JSONResponse):
    """A JSON response with RFC 9457's media type."""

    media_type = "application/problem+json"


class ErrorHandlers:
    """Turns exceptions into problems; `install` it in an application."""

    def install(self, app: FastAPI) -> None:
        """Replace the framework's own handlers, which answer in other formats."""
        app.add_exception_handler(Problem, self.on_problem)
        app.add_exception_handler(HTTPException, self.on_http_exception)
        app.add_exception_handler(RequestValidationError, self.on_validation_error)

    async def on_problem(self, request: Request, error: Exception) -> Response:
        """Answer a problem."""
        assert isinstance(error, Problem)  # noqa: S101 - for the type checker
        return self.answer(request, error)

    async def on_http_exception(self, request: Request, error: Exception) -> Response:
        """Answer the framework's refusals: unknown path, unsupported method, malformed JSON."""
        assert isinstance(error, HTTPException)  # noqa: S101
        kind = FRAMEWORK.get(error.status_code, BAD_REQUEST)
        problem = Problem(kind, f"{kind.title}.", status=error.status_code)
        return self.answer(request, problem, headers=error.headers)

    async def on_validation_error(self, request: Request, error: Exception) -> Response:
        """Say where and why a request is invalid, without echoing what was sent."""
        assert isinstance(error, RequestValidationError)  # noqa: S101
        found = [
            {"location": [str(part) for part in each["loc"]], "message": each["msg"]}
            for each in error.errors()
        ]
        problem = Problem(INVALID_REQUEST, "`errors` lists what is wrong.")
        return self.answer(request, problem, errors=found)

    def on_unhandled(self, request: Request, error: Exception) -> Response:
        """Answer 500 to any other exception; only the log gets the traceback."""
        if isinstance(error, Problem):  # raised by `Boundary`, outside the framework
            return self.answer(request, error)
        problem = Problem(INTERNAL_ERROR, "The error was logged.", sqlstate=sqlstate_of(error))
        return self.answer(request, problem, cause=error)

    def answer(
        self,
        request: Request,
        problem: Problem,
        *,
        headers: Mapping[str, str] | None = None,
        cause: Exception | None = None,
        **members: Any,
    ) -> Response:
        """Return the response to a problem, and log it."""
        trace_id = request.state.trace_id
        request.state.origin = problem.kind.origin
        kind = problem.kind
        record = log.error if problem.status >= 500 else log.info
        record(
            "request failed" if problem.status >= 500 else "request refused",
            trace_id=trace_id,
            method=request.method,
            path=request.scope["path"],
            status=problem.status,
            problem=kind.slug,
            origin=kind.origin,
            sqlstate=problem.sqlstate,
            cause=repr(problem.__cause__) if problem.__cause__ else None,
            exc_info=cause,
        )
        extra = {} if kind.retry_after is None else {"Retry-After": str(kind.retry_after)}
        return ProblemResponse(
            {
                "type": kind.uri,
                "title": kind.title,
                "status": problem.status,
                "detail": problem.detail,
                "trace_id": trace_id,
                "origin": kind.origin,
                **members,
            },
            status_code=problem.status,
            headers={**(headers or {}), **extra},
        )
