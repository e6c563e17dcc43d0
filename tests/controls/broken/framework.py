"""The sample service with other error handlers: what FastAPI does when it is left to itself."""

# ruff: noqa: ARG002 - a method that is replaced keeps its parameters

from fastapi import FastAPI, Request
from starlette.responses import Response

from sample_service.api.errors import ErrorHandlers
from sample_service.app import Parts, create_app
from sample_service.problems import Problem

__all__ = ["framework_plain_text", "own_shape_for_validation"]


class FrameworkPlainText(ErrorHandlers):
    """What nobody foresaw is left to the framework."""

    def on_unhandled(self, request: Request, error: Exception) -> Response:
        """Starlette's last resort answers in text/plain."""
        raise error


def framework_plain_text() -> FastAPI:
    """See `FrameworkPlainText`."""
    return create_app(parts=Parts(errors=FrameworkPlainText))


class OwnShapeForValidation(ErrorHandlers):
    """Problems for the database's errors; for validation what FastAPI does by itself."""

    def install(self, app: FastAPI) -> None:
        """Everything but what the framework has handlers for."""
        its_own = dict(app.exception_handlers)
        super().install(app)
        app.exception_handlers.update(its_own)
        app.add_exception_handler(Problem, self.on_problem)


def own_shape_for_validation() -> FastAPI:
    """See `OwnShapeForValidation`."""
    return create_app(parts=Parts(errors=OwnShapeForValidation))
