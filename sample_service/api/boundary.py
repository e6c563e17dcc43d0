"""The outermost layer: deadline, trace id, shedding, metrics and the last error handler."""

import asyncio
import time
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sample_service.api.errors import ErrorHandlers
from sample_service.observability import metrics
from sample_service.observability.tracing import trace_id
from sample_service.problems import BAD_REQUEST, Problem
from sample_service.resilience.deadline import Deadline
from sample_service.resilience.shedding import Shedder
from sample_service.settings import Settings

__all__ = ["MAX_DIGITS", "Boundary", "deadline_of"]

DEADLINE_HEADER: Final = b"x-request-timeout-ms"
"""How long the caller will wait, in whole milliseconds, capped by the service's own deadline."""

MAX_DIGITS: Final = 9
"""Of that header, eleven days. Parsing arbitrarily long numbers would cost a lot of CPU time."""

LISTEN_AFTER: Final = 0.05
"""Seconds after which the service begins to watch for the caller's disconnect."""


class Boundary:
    """Gives each request its deadline and its trace id, sheds excess requests, ends a request when
    its caller disconnects, counts it, and answers unhandled exceptions.

    Plain ASGI, because Starlette's `BaseHTTPMiddleware` costs a task per request. The framework's
    own handler of unhandled exceptions would answer in text/plain and log a second time.
    """

    def __init__(
        self, app: ASGIApp, errors: ErrorHandlers, shedder: Shedder, settings: Settings
    ) -> None:
        self._app = app
        self._errors = errors
        self._shedder = shedder
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        state = scope.setdefault("state", {})
        headers = dict(scope["headers"])
        state["trace_id"] = trace_id(headers.get(b"traceparent"))
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            state["deadline"] = self._deadline(begun, headers.get(DEADLINE_HEADER))
            with self._shedder.place(scope["path"]):
                async with _DisconnectWatch(receive) as watch:
                    await self._app(scope, watch.receive, watched)
        except Exception as error:
            if status:
                raise  # the response has begun, so the server can only cut it off
            await self._errors.on_unhandled(Request(scope), error)(scope, receive, watched)
        finally:
            metrics.count(scope, status, time.monotonic() - begun)

    def _deadline(self, begun: float, wanted: bytes | None) -> Deadline:
        ours = self._settings.time_to_work()
        if wanted is None:
            return Deadline(begun + ours)
        if not (wanted.isdigit() and len(wanted) <= MAX_DIGITS and int(wanted)):
            raise Problem(
                BAD_REQUEST,
                "X-Request-Timeout-Ms must be a positive whole number of at most nine digits.",
            )
        given = self._settings.time_to_work(int(wanted) / 1000)
        return Deadline(begun + given, hurried=given < ours * self._settings.slow_share)


def deadline_of(request: Request) -> Deadline:
    """The request's deadline."""
    deadline: Deadline = request.state.deadline
    return deadline


class _DisconnectWatch:
    """Cancels the request's task when its caller disconnects, which ends its query too.

    It does not listen during the first 50 ms: most requests are over by then and cost only a timer.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._listener: asyncio.Task[None] | None = None
        self._reading = False
        self._gone = False

    async def receive(self) -> Message:
        """Receive for the application, in place of the server's `receive`."""
        self._reading = True
        message = await self._receive()
        self._reading = bool(message.get("more_body"))
        return message

    async def __aenter__(self) -> "_DisconnectWatch":
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker
        self._task = task
        self._wait()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()
        if self._gone and kind is asyncio.CancelledError:
            self._task.uncancel()  # the cancellation was for this request only
            return True
        return False

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LISTEN_AFTER, self._listen)

    def _listen(self) -> None:
        if self._reading:  # the application reads the body, and would see the disconnect
            self._wait()
        else:
            self._listener = asyncio.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._task.cancel()
