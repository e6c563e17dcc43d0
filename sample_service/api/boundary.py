"""The outermost layer: what every request gets, and what no request may let out."""

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

__all__ = ["LONGEST_NUMBER", "Boundary", "deadline_of"]

DEADLINE_HEADER: Final = b"x-request-timeout-ms"
"""How long the caller will wait, in whole milliseconds; the service's own deadline caps it."""

LONGEST_NUMBER: Final = 9
"""Digits, of some eleven days; more can be made to cost whatever a caller likes."""

UNREMARKABLE: Final = 0.05
"""Seconds after which it pays to ask whether the caller is still there."""


class Boundary:
    """Gives each request its deadline and its trace id, refuses it where there are too many, ends
    it when its caller goes, counts it, and answers for exceptions that nobody foresaw.

    As ASGI, and not as Starlette's `BaseHTTPMiddleware`, which costs a task for each request. The
    framework's own last resort would answer in text/plain and log a second time.
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
                async with _Presence(receive) as presence:
                    await self._app(scope, presence.receive, watched)
        except Exception as error:
            if status:
                raise  # an answer that has begun cannot be taken back: the server cuts it off
            await self._errors.on_unhandled(Request(scope), error)(scope, receive, watched)
        finally:
            metrics.count(scope, status, time.monotonic() - begun)

    def _deadline(self, begun: float, wanted: bytes | None) -> Deadline:
        ours = self._settings.time_to_work()
        if wanted is None:
            return Deadline(begun + ours)
        if not (wanted.isdigit() and len(wanted) <= LONGEST_NUMBER and int(wanted)):
            raise Problem(
                BAD_REQUEST,
                "X-Request-Timeout-Ms takes whole milliseconds above zero, in nine digits at most.",
            )
        given = self._settings.time_to_work(int(wanted) / 1000)
        return Deadline(begun + given, hurried=given < ours * self._settings.slow_share)


def deadline_of(request: Request) -> Deadline:
    """The request's deadline."""
    deadline: Deadline = request.state.deadline
    return deadline


class _Presence:
    """Ends the request's task when its caller goes, so that its query ends too.

    Nobody listens during the first 50 ms: most requests are over by then, and cost only a timer.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._listener: asyncio.Task[None] | None = None
        self._reading = False
        self._gone = False

    async def receive(self) -> Message:
        """What the application calls instead of the server's `receive`."""
        self._reading = True
        message = await self._receive()
        self._reading = bool(message.get("more_body"))
        return message

    async def __aenter__(self) -> "_Presence":
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
            self._task.uncancel()  # the request ends here, and with it its cancellation
            return True
        return False

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(UNREMARKABLE, self._listen)

    def _listen(self) -> None:
        if self._reading:  # the body is on its way: it is the application that would notice
            self._wait()
        else:
            self._listener = asyncio.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._task.cancel()
