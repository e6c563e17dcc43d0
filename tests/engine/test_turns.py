"""However much there is to do on the data path, the rest of the loop gets its turn."""

import asyncio
import socket
import time
from collections import Counter
from contextlib import ExitStack
from functools import partial

from brownout.engine.clock import Clock
from brownout.engine.relay.readiness import Readiness

_MANY = 60
_WORK = 0.001  # seconds that each takes: all of them take as long as dozens of turns


class Turns:
    """Counts the loop's turns; what is done in the longest one is `most`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._done_before = 0
        self.done = 0
        self.most = 0
        self._turn()

    def _turn(self) -> None:
        self.most = max(self.most, self.done - self._done_before)
        self._done_before = self.done
        self._loop.call_soon(self._turn)

    def work(self) -> None:
        """Something that takes its time."""
        until = time.monotonic() + _WORK
        while time.monotonic() < until:
            pass
        self.done += 1


def test_many_sockets_share_the_loop_and_are_served_alike(loop: asyncio.AbstractEventLoop) -> None:
    served: Counter[int] = Counter()

    async def serve() -> Turns:
        readiness, turns, over = Readiness(loop), Turns(loop), loop.create_future()

        def readable(number: int) -> None:  # and it stays so: nobody reads
            turns.work()
            served[number] += 1
            if turns.done == 3 * _MANY:
                over.set_result(None)

        with ExitStack() as stack:
            for number in range(_MANY):
                near, far = socket.socketpair()
                stack.enter_context(near)
                stack.enter_context(far).send(b"x")
                readiness.on_readable(near.fileno(), partial(readable, number))
            await asyncio.wait_for(over, 10)
            readiness.close()
        return turns

    turns = loop.run_until_complete(serve())
    assert turns.most < _MANY / 4
    assert len(served) == _MANY
    assert max(served.values()) - min(served.values()) <= 1


def test_many_timers_share_the_loop_and_ring_in_order(loop: asyncio.AbstractEventLoop) -> None:
    rung: list[int] = []

    async def ring() -> Turns:
        clock, turns, over = Clock(loop), Turns(loop), loop.create_future()

        def action(number: int) -> None:
            turns.work()
            rung.append(number)
            if turns.done == _MANY:
                over.set_result(None)

        start = clock.now()
        for number in range(_MANY):
            clock.at(start + number * 1e-6, partial(action, number))
        await asyncio.wait_for(over, 10)
        clock.close()
        return turns

    turns = loop.run_until_complete(ring())
    assert turns.most < _MANY / 4
    assert rung == list(range(_MANY))
