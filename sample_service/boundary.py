"""The outermost layer: what every request gets, and what no request may let out."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sample_service.deadline import Deadline
from sample_service.errors import ErrorHandlers
from sample_service.tracing import trace_id

__all__ = ["Boundary"]


class Boundary:
    """Gives each request its deadline and its trace id, and answers for unforeseen exceptions.

    As ASGI, and not as Starlette's `BaseHTTPMiddleware`, which costs a task for each request. The
    framework's own last resort would answer in text/plain and log a second time.
    """

    def __init__(self, app: ASGIApp, errors: ErrorHandlers, time_to_work: float) -> None:
        self._app = app
        self._errors = errors
        self._time_to_work = time_to_work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["deadline"] = Deadline.after(self._time_to_work)
        state["trace_id"] = trace_id(scope["headers"])
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if begun:
                raise  # an answer that has begun cannot be taken back: the server cuts it off
            await self._errors.on_unhandled(Request(scope), error)(scope, receive, send)
