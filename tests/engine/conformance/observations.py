"""The table of observations: what both ends of a connection see, as words.

A row is an experiment and what Toxiproxy's contract says of it. Where the engine is better on
purpose, `ours` holds what it shows and `why` begins the row of docs/reference/proxy.md that says
so.
"""

import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psutil

from brownout.control import ProxyRecord, ToxiproxyClient
from brownout.errors import ProxyError
from tests.engine.peers import PATIENCE, Upstream, connect, ending, read, reset, soon

__all__ = ["OBSERVATIONS", "Bench", "Observation"]

# A busy machine can make anything late, but nothing early. So `late` means no sooner than a short
# delay, and `at once` means while a toxic would still hold the bytes for minutes.
_MS = 80  # milliseconds: a delay that is waited for
_LATE = _MS / 1000
_NEVER = 600_000  # milliseconds: a delay that is not
_QUIET = 0.15  # seconds in which nothing happens: long enough to call it nothing
_HANGING = 3.0  # seconds after which a call to the control API is said to hang
_RATE = 100  # KB/s
_TRAFFIC = 500  # milliseconds: the time-out that traffic puts off, with pauses of 20 ms


class Bench:
    """A server, an upstream, a proxy between them, and a connection through it."""

    def __init__(self, client: ToxiproxyClient, name: str) -> None:
        self.client = client
        self.name = name
        self.upstream = Upstream()
        self.proxy = client.create_proxy(name, self.upstream.address)
        self.near, self.far = self.pair()

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """Both ends of a new connection."""
        return connect(self.proxy), self.upstream.accept()

    def renew(self) -> None:
        """Another connection instead of the first."""
        self.near.close()
        self.near, self.far = self.pair()

    def add(self, kind: str, stream: str = "downstream", name: str = "t", **values: int) -> None:
        """A toxic."""
        self.client.add_toxic(self.name, kind, values, stream=stream, name=name)

    def remove(self, name: str = "t") -> None:
        """No toxic."""
        self.client.remove_toxic(self.name, name)

    def change(self, name: str = "t", **values: int) -> None:
        """Other attributes of a toxic."""
        self.client.update_toxic(self.name, name, values)

    def arrives(
        self,
        payload: bytes = b"payload",
        *,
        up: bool = False,
        delay: int = _NEVER,
        within: float = PATIENCE,
    ) -> str:
        """Whether bytes arrive `at once`, `late` (not before `delay` ms), or not `within` seconds:
        then how the connection is."""
        source, target = (self.near, self.far) if up else (self.far, self.near)
        start = time.monotonic()
        source.sendall(payload)
        target.settimeout(within)
        try:
            found = read(target, len(payload))
        except TimeoutError:
            return "nothing"
        except OSError:
            return "rst"
        if found != payload:
            return f"{len(found)} bytes, then fin"
        return "late" if time.monotonic() - start >= delay / 1000 else "at once"

    def close(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(ProxyError):
            self.client.delete_proxy(self.name)
        self.near.close()
        self.upstream.close()


@dataclass(frozen=True)
class Observation:
    """An experiment and what comes out; `spoils`: the original is of no use afterwards. `also` may
    come out of the original: closing with bytes that it has not read yet, it resets."""

    name: str
    observe: Callable[[Bench], str]
    contract: str
    ours: str | None = None
    why: str = ""
    spoils: bool = False
    also: tuple[str, ...] = ()


def _refused(bench: Bench) -> str:
    try:
        connect(bench.proxy).close()
    except ConnectionRefusedError:
        return "refused"
    return "accepted"


def _plain(bench: Bench) -> str:
    return f"{bench.arrives(up=True)}, {bench.arrives()}"


def _disabled(bench: Bench) -> str:
    bench.client.set_enabled(bench.name, False)
    before = f"{ending(bench.near)}, {ending(bench.far)}, {_refused(bench)}"
    after = bench.client.set_enabled(bench.name, True)
    return f"{before}, {'same port' if after.listen == bench.proxy.listen else 'other port'}"


def _deleted(bench: Bench) -> str:
    bench.client.delete_proxy(bench.name)
    return f"{ending(bench.near)}, {ending(bench.far)}, {_refused(bench)}"


def _redirected(bench: Bench) -> str:
    other = Upstream()
    try:
        bench.client.set_upstream(bench.name, other.address)
        seen = ending(bench.near)
        with connect(bench.proxy) as near:
            near.sendall(b"x")
            return f"{seen}, then {'there' if read(other.accept(), 1) == b'x' else 'lost'}"
    finally:
        other.close()


def _toxics_survive_a_disable(bench: Bench) -> str:
    bench.add("latency", latency=_MS)
    bench.client.set_enabled(bench.name, False)
    bench.client.set_enabled(bench.name, True)
    bench.renew()
    return bench.arrives(delay=_MS)


def _reset_keeps_connections(bench: Bench) -> str:
    bench.add("latency", latency=_NEVER)
    bench.client.reset()
    return bench.arrives()


def _latency(bench: Bench) -> str:
    bench.add("latency", latency=_MS)
    open_one = bench.arrives(delay=_MS)
    bench.renew()
    new_one = bench.arrives(delay=_MS)
    bench.change(latency=_NEVER)
    return f"open {open_one}, new {new_one}, upstream {bench.arrives(up=True)}"


def _latency_upstream(bench: Bench) -> str:
    bench.add("latency", "upstream", latency=_MS)
    late = bench.arrives(up=True, delay=_MS)
    bench.change(latency=_NEVER)
    return f"{late}, downstream {bench.arrives()}"


def _latency_removed(bench: Bench) -> str:
    bench.add("latency", latency=_NEVER)
    held = bench.arrives(b"held", within=_QUIET)
    bench.remove()
    bench.near.settimeout(PATIENCE)
    return f"{held}, then {read(bench.near, 4).decode()}, then {bench.arrives()}"


def _latency_updated(bench: Bench) -> str:
    bench.add("latency", latency=0)
    bench.change(latency=_MS)
    return bench.arrives(delay=_MS)


def _latency_and_connecting(bench: Bench) -> str:
    bench.add("latency", latency=_NEVER)
    bench.add("latency", "upstream", name="u", latency=_NEVER)
    near, far = bench.pair()
    far.close()
    seen = ending(near)
    near.close()
    return "late" if seen == "open" else f"{seen} at once"


def _latencies_stack(bench: Bench) -> str:
    bench.add("latency", latency=_MS // 2, name="one")
    bench.add("latency", latency=_MS // 2, name="two")
    return bench.arrives(delay=_MS)


def _bandwidth(bench: Bench) -> str:
    """At an eighth of the rate, as bits for bytes, these bytes would take longer than PATIENCE."""
    seconds = 1.2 * PATIENCE / 8
    size = int(seconds * _RATE * 1000)
    bench.add("bandwidth", rate=_RATE)
    start = time.monotonic()
    bench.far.sendall(bytes(size))
    read(bench.near, size)
    took = time.monotonic() - start
    return "at its rate" if 0.75 * seconds <= took < PATIENCE else f"{size} bytes in {took:.1f} s"


def _bandwidth_zero(bench: Bench) -> str:
    bench.add("bandwidth", rate=0)
    return bench.arrives(within=_QUIET)


def _slow_close(bench: Bench) -> str:
    bench.add("slow_close", delay=_NEVER)
    data = bench.arrives()
    bench.change(delay=_MS)
    start = time.monotonic()
    bench.far.close()
    seen = ending(bench.near)
    return f"data {data}, {seen} {'late' if time.monotonic() - start >= _LATE else 'at once'}"


def _black_hole(bench: Bench) -> str:
    bench.add("timeout", timeout=0)
    lost, up = bench.arrives(within=_QUIET), bench.arrives(up=True)
    return f"{lost}, {ending(bench.near, within=_QUIET)}, upstream {up}"


def _timeout(bench: Bench) -> str:
    start = time.monotonic()
    bench.add("timeout", timeout=_MS)
    seen = f"{ending(bench.near)}, {ending(bench.far)}"
    return f"{seen} {'late' if time.monotonic() - start >= _LATE else 'at once'}"


def _timeout_with_traffic(bench: Bench) -> str:
    bench.add("timeout", timeout=_TRAFFIC)
    end = time.monotonic() + 3 * _TRAFFIC / 1000
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            bench.far.sendall(b"x")
            seen = ending(bench.near, within=0.02)
            if seen != "open":
                return seen
    return ending(bench.near, within=0.02)


def _timeout_removed(bench: Bench) -> str:
    bench.add("timeout", timeout=0)
    bench.remove()
    return f"{ending(bench.near)}, {ending(bench.far)}"


def _reset_new(bench: Bench) -> str:
    bench.add("reset_peer", timeout=0)
    try:
        bench.renew()
    except ConnectionResetError:  # it was quicker than the client's own set-up
        return "rst, rst"
    return _used(bench)


def _reset_open(bench: Bench) -> str:
    bench.add("reset_peer", timeout=0)
    return _used(bench)


def _used(bench: Bench) -> str:
    try:
        bench.far.sendall(b"x")
    except OSError:  # the reset was quicker; it is told only once
        return f"{ending(bench.near)}, rst"
    return f"{ending(bench.near)}, {ending(bench.far)}"


def _reset_idle(bench: Bench) -> str:
    bench.add("reset_peer", timeout=0)
    return ending(bench.near, within=_QUIET)


def _limit(bench: Bench) -> str:
    bench.add("limit_data", bytes=4)
    return bench.arrives(b"1234567")


def _limit_on_new(bench: Bench) -> str:
    bench.add("limit_data", bytes=4)
    bench.renew()
    first = bench.arrives(b"12")
    return f"{first}, {bench.arrives(b'34567')}"


def _limit_exactly(bench: Bench) -> str:
    bench.add("limit_data", bytes=7)
    return f"{bench.arrives(b'1234567')}, {ending(bench.near)}"


def _slicer(bench: Bench) -> str:
    bench.add("slicer", average_size=10, size_variation=5)
    return bench.arrives(bytes(range(256)))


def _no_toxicity(bench: Bench) -> str:
    bench.client.add_toxic(bench.name, "timeout", {"timeout": 0}, name="t", toxicity=0)
    return bench.arrives()


def _half_close(bench: Bench) -> str:
    bench.near.sendall(b"question")
    bench.near.shutdown(socket.SHUT_WR)
    read(bench.far, 8)
    seen = ending(bench.far)
    try:
        bench.far.sendall(b"answer")
        return f"{seen}, {read(bench.near, 6).decode() or 'no answer'}"
    except OSError:
        return f"{seen}, no answer"


def _upstream_reset(bench: Bench) -> str:
    reset(bench.far)
    return ending(bench.near)


def _client_reset(bench: Bench) -> str:
    reset(bench.near)
    return ending(bench.far)


def _no_upstream(bench: Bench) -> str:
    bench.upstream.stop_listening()
    with connect(bench.proxy) as near:
        return ending(near)


def _populated_again(bench: Bench) -> str:
    with _api(bench) as populate:
        populate([bench.proxy])
    return bench.arrives()


@contextlib.contextmanager
def _api(bench: Bench) -> Iterator[Callable[[Sequence[ProxyRecord]], None]]:
    def populate(proxies: Sequence[ProxyRecord]) -> None:
        body = [{"name": p.name, "listen": p.listen, "upstream": p.upstream} for p in proxies]
        bench.client._post("/populate", body)  # type: ignore[arg-type]

    yield populate


def _within(bench: Bench, call: Callable[[ToxiproxyClient], object]) -> str:
    impatient = type(bench.client)(bench.client.address, timeout=_HANGING)
    try:
        call(impatient)
    except ProxyError:
        return "hangs"
    return "answers"


def _stalled_reader(bench: Bench) -> str:
    bench.add("noop", name="n")
    bench.far.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        for _ in itertools.count():
            bench.far.sendall(bytes(1 << 20))  # the near end reads nothing
    added = _within(bench, lambda client: client.add_toxic(bench.name, "latency", name="l"))
    if added == "hangs":
        return added
    return _within(bench, lambda client: client.remove_toxic(bench.name, "n"))


def _dials(address: tuple[str, int]) -> int:
    """How many connects to the address are not answered yet."""
    return sum(
        one.raddr == address and one.status == psutil.CONN_SYN_SENT
        for one in psutil.net_connections("tcp4")
    )


def _silent_upstream(bench: Bench) -> str:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # once the queue is full, SYNs are swallowed
            filler.setblocking(False)
            filler.connect_ex(address)
        waiting = _dials(address)
        bench.client.set_upstream(bench.name, f"127.0.0.1:{address[1]}")
        clients = [connect(bench.proxy) for _ in range(2)]
        assert soon(lambda: _dials(address) > waiting), "the proxies do not dial"
        seen = _within(bench, lambda client: client.set_enabled(bench.name, False))
        for connection in (*fillers, *clients):
            connection.close()
        return seen


_AT_ONCE = "the control API while a reader stalls or an upstream drops SYNs"

OBSERVATIONS: Sequence[Observation] = [
    Observation("bytes pass both ways", _plain, "at once, at once"),
    Observation("disabling", _disabled, "fin, fin, refused, same port"),
    Observation("deleting", _deleted, "fin, fin, refused"),
    Observation("another upstream", _redirected, "fin, then there"),
    Observation("toxics survive a disable", _toxics_survive_a_disable, "late"),
    Observation("reset keeps connections", _reset_keeps_connections, "at once"),
    Observation("latency", _latency, "open late, new late, upstream at once"),
    Observation("latency upstream", _latency_upstream, "late, downstream at once"),
    Observation("latency removed", _latency_removed, "nothing, then held, then at once"),
    Observation("latency updated", _latency_updated, "late"),
    Observation("latency delays no connect and no close", _latency_and_connecting, "fin at once"),
    Observation("latencies stack", _latencies_stack, "late"),
    Observation("bandwidth", _bandwidth, "at its rate"),
    Observation("bandwidth of nothing", _bandwidth_zero, "nothing"),
    Observation("slow_close", _slow_close, "data at once, fin late"),
    Observation("timeout 0", _black_hole, "nothing, open, upstream at once"),
    Observation("timeout", _timeout, "fin, fin late"),
    Observation(
        "timeout under traffic",
        _timeout_with_traffic,
        "open",
        ours="fin",
        why="`timeout` while data keeps arriving",
    ),
    Observation("timeout removed", _timeout_removed, "fin, fin"),
    Observation("reset_peer on new connections", _reset_new, "rst, rst"),
    Observation(
        "reset_peer on open connections",
        _reset_open,
        "fin, fin",
        ours="rst, rst",
        why="`reset_peer` on connections that were open before it",
        also=("rst, rst", "fin, rst", "rst, fin"),
    ),
    Observation(
        "reset_peer on idle connections",
        _reset_idle,
        "open",
        ours="rst",
        why="`reset_peer` on idle connections",
    ),
    Observation("limit_data", _limit, "4 bytes, then fin"),
    Observation("limit_data over several chunks", _limit_on_new, "at once, 2 bytes, then fin"),
    Observation("limit_data reached exactly", _limit_exactly, "at once, fin"),
    Observation("slicer", _slicer, "at once"),
    Observation("toxicity 0", _no_toxicity, "at once"),
    Observation(
        "a half-close",
        _half_close,
        "fin, no answer",
        ours="fin, answer",
        why="a half-close",
    ),
    Observation("an upstream's reset", _upstream_reset, "fin", ours="rst", why="a peer's RST"),
    Observation("a client's reset", _client_reset, "fin", ours="rst", why="a peer's RST"),
    Observation("an upstream that refuses", _no_upstream, "fin"),
    Observation("populate with the same", _populated_again, "at once"),
    Observation(
        "toxics change while a reader is stalled",
        _stalled_reader,
        "hangs",
        ours="answers",
        why=_AT_ONCE,
        spoils=True,
    ),
    Observation(
        "disabling while the upstream is silent",
        _silent_upstream,
        "hangs",
        ours="answers",
        why=_AT_ONCE,
        spoils=True,
    ),
]
