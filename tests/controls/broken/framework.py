"""The sample service with FastAPI's default error handling."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

from fastapi import FastAPI, Request
from starlette.responses import Response

from sample_service.api.errors import ErrorHandlers
from sample_service.app import Parts, create_app
from sample_service.problems import Problem

__all__ = ["framework_plain_text", "own_shape_for_validation"]


class FrameworkPlainText(ErrorHandlers):
    """Leaves unhandled exceptions to the framework."""

    def on_unhandled(self, request: Request, error: Exception) -> Response:
        """Raise again; Starlette then answers in text/plain."""
        raise error


def framework_plain_text() -> FastAPI:
    """Create the sample service with `FrameworkPlainText`."""
    return create_app(parts=Parts(errors=FrameworkPlainText))


class OwnShapeForValidation(ErrorHandlers):
    """Answers the database's errors as problems, and validation errors as FastAPI does."""

    def install(self, app: FastAPI) -> None:
        """Keep the framework's own handlers, and handle only `Problem`."""
        its_own = dict(app.exception_handlers)
        super().install(app)
        app.exception_handlers.update(its_own)
        app.add_exception_handler(Problem, self.on_problem)


def own_shape_for_validation() -> FastAPI:
    """Create the sample service with `OwnShapeForValidation`."""
    return create_app(parts=Parts(errors=OwnShapeForValidation))
