"""A caller's other end: an HTTP server of a few lines on loopback, whose answers a test decides."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from time import monotonic

__all__ = [
    "DROP",
    "OK",
    "PATIENCE",
    "RESET",
    "SILENCE",
    "Peer",
    "Reply",
    "Request",
    "Then",
    "closed_port",
    "serving",
    "whole",
]

PATIENCE = 10.0  # seconds until a test gives up; nothing waits so long when all is well


class Then(Enum):
    """What happens to the connection behind a reply."""

    KEEP = "the next request is read"
    CLOSE = "closed with FIN"
    RESET = "closed with RST"
    HOLD = "nothing, until the caller goes away"


@dataclass(frozen=True)
class Reply:
    """The bytes of an answer, and what follows them."""

    raw: bytes
    then: Then


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


Answering = Callable[[Request], Awaitable[Reply]]


def whole(status: int = 200, body: bytes = b"{}", *headers: str, then: Then = Then.KEEP) -> Reply:
    """A whole answer."""
    head = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *headers]
    return Reply("\r\n".join([*head, "", ""]).encode() + body, then)


OK = whole()
DROP = Reply(b"", Then.CLOSE)
RESET = Reply(b"", Then.RESET)
SILENCE = Reply(b"", Then.HOLD)


@dataclass
class Peer:
    """What came, and how it is answered; `gone` counts the callers who went away before their
    whole answer, `connections` those that were made, `closed` those that are over. After `refuse`
    it accepts no connection any more."""

    answer: Answering
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    gone: int = 0
    connections: int = 0
    closed: int = 0
    refuse: Callable[[], None] = lambda: None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to come true that requests, answers and departures change."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(condition)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                while await self._one(reader, writer):
                    pass
            finally:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()
                self.closed += 1
                await self._tell()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await _read(reader)
        self.requests.append(request)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await self._tell()
        try:
            return await self._reply(request, reader, writer)
        finally:
            self.under_way -= 1
            await self._tell()

    async def _reply(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        answering = asyncio.ensure_future(self.answer(request))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                self.gone += 1
                return False
            reply = answering.result()
            writer.write(reply.raw)
            await writer.drain()
            if reply.then is Then.HOLD:
                await leaving
                self.gone += 1
            elif reply.then is Then.RESET:
                peer = writer.get_extra_info("socket")
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            return reply.then is Then.KEEP
        finally:
            answering.cancel()
            leaving.cancel()
            await asyncio.wait([answering, leaving])

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    lines = (line.split(": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in lines}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body, monotonic())


@contextlib.asynccontextmanager
async def serving(
    answer: Answering | Reply = OK, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Peer]:
    """A peer that answers so, with `tls` by HTTPS; every connection is closed at the end."""

    async def always(_: Request) -> Reply:
        assert isinstance(answer, Reply)
        return answer

    peer = Peer(always if isinstance(answer, Reply) else answer)
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.is_serving():
            writers.append(writer)
            tasks.add(asyncio.create_task(peer.serve(reader, writer)))
        else:  # it was accepted right before the end
            writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=1024, ssl=tls)
    peer.refuse = server.close
    scheme = "http" if tls is None else "https"
    peer.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield peer
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:  # a task that was cancelled before its first step closes nothing
            writer.close()
    errors = [one for one in outcomes if isinstance(one, Exception)]
    assert not errors, errors


@contextlib.contextmanager
def closed_port() -> Iterator[str]:
    """A URL where nobody listens, and nobody will: the port stays bound."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"
