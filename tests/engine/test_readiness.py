"""Readiness goes on to the end: what waits behind an error is asked for as well."""

import asyncio
import gc
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest

from brownout.engine.clock import TURN
from brownout.engine.relay.readiness import Readiness

_RST = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: closing sends RST


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of one TCP connection; the first does not block."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    near.setblocking(False)
    with near, far:
        yield near, far


def test_what_came_before_a_reset_is_read_to_the_end(
    loop: asyncio.AbstractEventLoop, ends: tuple[socket.socket, socket.socket]
) -> None:
    """The bytes piece by piece, then the reset itself."""
    near, far = ends
    read: list[int] = []

    async def until_reset() -> None:
        readiness = Readiness(loop)
        over = loop.create_future()

        def readable() -> None:
            try:
                read.append(len(near.recv(10)))
            except ConnectionResetError:
                readiness.forget_readable(near.fileno())
                over.set_result(None)

        far.sendall(b"x" * 95)
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        far.close()
        readiness.on_readable(near.fileno(), readable)
        await asyncio.wait_for(over, 5)
        readiness.close()

    loop.run_until_complete(until_reset())
    assert read == [10] * 9 + [5]


def test_a_descriptor_is_watched_anew_after_a_reset(
    loop: asyncio.AbstractEventLoop, ends: tuple[socket.socket, socket.socket]
) -> None:
    """Changing who is called is possible at any time, also when the error has been reported."""
    near, far = ends
    called: list[str] = []

    async def change() -> None:
        readiness = Readiness(loop)
        first, second = loop.create_future(), loop.create_future()

        def once(name: str, done: "asyncio.Future[None]") -> Callable[[], None]:
            def readable() -> None:
                called.append(name)
                readiness.forget_readable(near.fileno())
                done.set_result(None)

            return readable

        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        far.close()
        readiness.on_readable(near.fileno(), once("first", first))
        await asyncio.wait_for(first, 5)
        readiness.on_readable(near.fileno(), once("second", second))
        await asyncio.wait_for(second, 5)
        readiness.close()

    loop.run_until_complete(change())
    assert called == ["first", "second"]


def test_an_event_that_waits_for_its_turn_keeps_nothing_of_what_was_forgotten(
    loop: asyncio.AbstractEventLoop, ends: tuple[socket.socket, socket.socket]
) -> None:
    """The first callback takes the whole turn; the other is forgotten before its own comes."""
    near, far = ends
    far.setblocking(False)
    called: list[int] = []

    async def forget() -> int:
        readiness = Readiness(loop)
        kept = loop.create_future()

        def over() -> None:
            for one in (near, far):
                readiness.forget_writable(one.fileno())
            kept.set_result(sum(type(one).__name__ == "_Callbacks" for one in gc.get_objects()))

        def slow() -> None:
            called.append(1)
            time.sleep(2 * TURN)
            loop.call_soon(over)

        for one in (near, far):
            readiness.on_writable(one.fileno(), slow)
        try:
            return await asyncio.wait_for(kept, 5)
        finally:
            readiness.close()

    assert loop.run_until_complete(forget()) == 0
    assert len(called) == 1


def test_an_event_is_not_for_another_socket_that_took_over_the_descriptor(
    loop: asyncio.AbstractEventLoop, ends: tuple[socket.socket, socket.socket]
) -> None:
    """Of two sockets with something to read, the first that is called replaces the other."""
    near, far = ends
    called: list[str] = []

    async def take_over() -> None:
        readiness = Readiness(loop)
        over = loop.create_future()

        def replace(other: socket.socket) -> Callable[[], None]:
            def readable() -> None:
                called.append("first")
                readiness.forget_readable(near.fileno())
                readiness.forget_readable(far.fileno())
                os.dup2(quiet.fileno(), other.fileno())
                readiness.on_readable(other.fileno(), lambda: called.append("second"))
                loop.call_later(10 * TURN, over.set_result, None)

            return readable

        near.sendall(b"x")
        far.sendall(b"x")
        readiness.on_readable(near.fileno(), replace(far))
        readiness.on_readable(far.fileno(), replace(near))
        await asyncio.wait_for(over, 5)
        readiness.close()

    quiet, silent = socket.socketpair()
    with quiet, silent:
        loop.run_until_complete(take_over())
    assert called == ["first"]
