"""Load by callers who do not wait for each other (an open model), as on the public Internet.

The time of each request counts from when it was due to start: a load generator that waits for slow
answers before it sends the next request hides their cost (coordinated omission). Written on bare
asyncio protocols, so one core can send several thousand requests per second.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

__all__ = ["GIVES_UP", "READ", "WRITE", "Sample", "closed", "open_model"]

READ = b"GET /orders?limit=10 HTTP/1.1\r\nHost: shop\r\n\r\n"
_BODY = b'{"customer":"spike","sku":"tea","quantity":1}'
WRITE = (
    b"POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
    b"Content-Length: " + str(len(_BODY)).encode() + b"\r\n\r\n" + _BODY
)
WRITES = 5
"""Every fifth request places an order. Not at random: an order costs three times what a read costs,
so chance in the mix would look like a difference between services."""

CONNECTIONS = 1000
"""The maximum number of callers at once; further requests wait, and that counts as their time."""

GIVES_UP = 5.0
"""Seconds after which a caller gives up."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: when it was due to start, in seconds since the run began; how long its caller
    waited; and the status, or 0 without an answer."""

    at: float
    seconds: float
    status: int

    @property
    def accepted(self) -> bool:
        """Whether the service answered 2xx."""
        return 200 <= self.status < 300


class _Caller(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[int] | None = None
        self._data = bytearray()
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note that the connection is open."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass
        self.open = True

    def data_received(self, data: bytes) -> None:
        """Read one answer."""
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        start = self._data.find(b"content-length: ", 0, end) + len(b"content-length: ")
        length = int(self._data[start : self._data.index(b"\r", start)])
        if len(self._data) >= end + 4 + length and self._answer is not None:
            status = int(self._data[9:12])
            self._data.clear()
            if not self._answer.done():
                self._answer.set_result(status)

    def connection_lost(self, _: Exception | None) -> None:
        """Report the missing answer as status 0."""
        self.open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(0)

    def ask(self, request: bytes) -> "asyncio.Future[int]":
        """Send a request and return a future of the status."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def hang_up(self) -> None:
        """Abort the connection."""
        self._transport.abort()


class _Crowd:
    """All callers, and their samples."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: deque[_Caller] = deque()
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._began = time.monotonic()
        self._random = random.Random(0)  # noqa: S311 - the same arrivals for both services
        self._asked = 0
        self.samples: list[Sample] = []

    async def _connected(self) -> _Caller:
        while self._idle:
            caller = self._idle.pop()
            if caller.open:
                return caller
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(_Caller, "127.0.0.1", self._port))[1]

    def _next(self) -> bytes:
        self._asked += 1
        return READ if self._asked % WRITES else WRITE

    async def call(self, meant: float) -> None:
        """Send one request that was due at `meant` on the monotonic clock."""
        status = 0
        async with self._places:
            left = meant + GIVES_UP - time.monotonic()
            caller = None
            try:
                async with asyncio.timeout(left):
                    caller = await self._connected()
                    status = await caller.ask(self._next())
            except (OSError, TimeoutError):
                if caller is not None:
                    caller.hang_up()
            else:
                self._idle.append(caller)
        now = time.monotonic()
        self.samples.append(Sample(meant - self._began, now - meant, status))

    async def arrive(self, rate: float, seconds: float) -> None:
        """Send `rate` requests per second for `seconds`, at random moments (Poisson)."""
        end = time.monotonic() + seconds
        meant = time.monotonic()
        calls = set()
        while True:
            meant += self._random.expovariate(rate)
            if meant >= end:
                break
            wait = meant - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            call = asyncio.create_task(self.call(meant))
            calls.add(call)
            call.add_done_callback(calls.discard)
        self.pending = calls

    def hang_up(self) -> None:
        """Abort all idle connections."""
        for caller in self._idle:
            caller.hang_up()


async def open_model(port: int, stages: Sequence[tuple[float, float]]) -> list[Sample]:
    """Send requests at the rate (per second) of each stage, for its time (seconds)."""
    crowd = _Crowd(port)
    pending: set[asyncio.Task[None]] = set()
    for rate, seconds in stages:
        await crowd.arrive(rate, seconds)
        pending |= crowd.pending
    if pending:
        await asyncio.wait(pending)
    crowd.hang_up()
    return sorted(crowd.samples, key=lambda sample: sample.at)


async def closed(port: int, callers: int, seconds: float) -> list[Sample]:
    """Let `callers` send requests for `seconds`, each as soon as the last one was answered."""
    crowd = _Crowd(port)
    end = time.monotonic() + seconds

    async def caller() -> None:
        while time.monotonic() < end:
            await crowd.call(time.monotonic())

    await asyncio.gather(*(caller() for _ in range(callers)))
    crowd.hang_up()
    return crowd.samples
