"""Each toxic on the data path, on new and on open connections, and the proof that it leaves."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from brownout.control import Ended, EngineClient, ProxyRecord, StreamDirection
from tests.engine.peers import Upstream, connect, ending, read, soon

MAKE = Callable[..., ProxyRecord]


class Way:
    """A proxy, a client and the far end of it."""

    def __init__(self, client: EngineClient, proxy: ProxyRecord, upstream: Upstream) -> None:
        self.control = client
        self.proxy = proxy
        self.upstream = upstream
        self.near = connect(proxy)
        self.far = upstream.accept()

    def add(self, kind: str, **attributes: int) -> None:
        self.control.add_toxic(self.proxy.name, kind, attributes, name="toxic")

    def change(self, **attributes: int) -> None:
        self.control.update_toxic(self.proxy.name, "toxic", attributes)

    def remove(self) -> None:
        self.control.remove_toxic(self.proxy.name, "toxic")

    def time_to_arrive(self, payload: bytes = b"x") -> float:
        start = time.monotonic()
        self.far.sendall(payload)
        assert read(self.near, len(payload)) == payload
        return time.monotonic() - start

    def silent(self) -> bool:
        """Whether nothing arrives and nothing ends for a moment."""
        self.near.settimeout(0.05)
        try:
            self.near.recv(1)
        except TimeoutError:
            return True
        finally:
            self.near.settimeout(10)
        return False


@pytest.fixture
def way(client: EngineClient, proxy: ProxyRecord, upstream: Upstream) -> Iterator[Way]:
    one = Way(client, proxy, upstream)
    yield one
    one.near.close()


def test_latency_delays_an_open_connection_and_is_never_early(way: Way) -> None:
    way.add("latency", latency=40)
    assert all(way.time_to_arrive() >= 0.04 for _ in range(3))
    way.change(latency=60_000)
    way.remove()
    way.time_to_arrive()
    proof = way.control.proof(way.proxy.name, "toxic")
    assert (proof.connections, proof.affected, proof.bytes_held) == (1, 1, 3)
    assert not proof.active


def test_latency_delays_one_direction_only(way: Way) -> None:
    way.add("latency", latency=60_000)
    way.near.sendall(b"at once")
    assert read(way.far, 7) == b"at once"


def test_two_latencies_add_up(way: Way) -> None:
    way.add("latency", latency=20)
    way.control.add_toxic(way.proxy.name, "latency", {"latency": 30}, name="more")
    assert way.time_to_arrive() >= 0.05


def test_removing_latency_flushes_what_it_held_in_order(way: Way) -> None:
    way.add("latency", latency=60_000)
    for part in (b"one,", b"two,", b"three"):
        way.far.sendall(part)
    assert soon(lambda: way.control.proof(way.proxy.name, "toxic").bytes_held >= 4)
    assert way.silent()
    way.remove()
    assert read(way.near, 13) == b"one,two,three"


def test_changing_latency_acts_on_what_is_held(way: Way) -> None:
    way.add("latency", latency=60_000)
    way.far.sendall(b"held")
    assert way.silent()
    way.change(latency=10)
    assert read(way.near, 4) == b"held"


def test_jitter_keeps_the_order(way: Way) -> None:
    way.add("latency", latency=5, jitter=5)
    sent = b"".join(b"%04d" % number for number in range(100))
    for place in range(0, len(sent), 4):
        way.far.sendall(sent[place : place + 4])
    assert read(way.near, len(sent)) == sent


def test_latency_does_not_delay_the_end_beyond_the_last_byte(way: Way) -> None:
    way.add("latency", latency=30)
    start = time.monotonic()
    way.far.sendall(b"bye")
    way.far.close()
    assert read(way.near, 100) == b"bye"
    assert time.monotonic() - start >= 0.03


def test_bandwidth_holds_its_rate(way: Way) -> None:
    way.add("bandwidth", rate=1000)  # KB/s
    assert way.time_to_arrive(bytes(200_000)) >= 0.19


def test_changing_bandwidth_acts_on_an_open_connection(way: Way) -> None:
    way.add("bandwidth", rate=1)  # 200 s for these bytes: longer than any test waits
    way.change(rate=1_000_000)
    way.time_to_arrive(bytes(200_000))


def test_bandwidth_of_nothing_blocks_until_it_is_removed(way: Way) -> None:
    way.add("bandwidth", rate=0)
    way.far.sendall(b"stuck")
    assert way.silent()
    way.remove()
    assert read(way.near, 5) == b"stuck"


def test_slow_close_delays_the_end_only(way: Way) -> None:
    way.add("slow_close", delay=60_000)
    way.time_to_arrive()
    way.change(delay=50)
    start = time.monotonic()
    way.far.close()
    assert ending(way.near) == "fin"
    assert time.monotonic() - start >= 0.05


def test_removing_slow_close_ends_at_once(way: Way) -> None:
    way.add("slow_close", delay=60_000)
    way.far.close()
    assert way.silent()
    way.remove()
    assert ending(way.near) == "fin"


def test_timeout_discards_and_never_closes_by_itself(way: Way) -> None:
    way.add("timeout", timeout=0)
    way.far.sendall(b"lost")
    assert way.silent()
    proof = way.control.proof(way.proxy.name, "toxic")
    assert (proof.bytes_discarded, proof.cut) == (4, 0)
    way.near.sendall(b"the other way is open")
    assert read(way.far, 21) == b"the other way is open"


def test_timeout_closes_after_its_time_whatever_is_sent(way: Way) -> None:
    start = time.monotonic()
    way.add("timeout", timeout=60)
    way.far.sendall(b"lost")
    assert ending(way.near) == "fin"
    assert time.monotonic() - start >= 0.06
    assert ending(way.far) == "fin"
    assert way.control.proof(way.proxy.name, "toxic").cut == 1
    assert way.control.counts(way.proxy.name).ended[Ended.TOXIC_CUT] == 1


def test_removing_timeout_closes_the_connections_it_held(way: Way) -> None:
    way.add("timeout", timeout=0)
    way.remove()
    assert ending(way.near) == "fin"
    assert ending(way.far) == "fin"


@pytest.mark.parametrize("stream", list(StreamDirection))
def test_reset_peer_resets_both_ends_of_an_idle_open_connection(
    way: Way, stream: StreamDirection
) -> None:
    way.control.add_toxic(way.proxy.name, "reset_peer", stream=stream, name="toxic")
    assert ending(way.near) == "rst"
    assert ending(way.far) == "rst"
    assert way.control.proof(way.proxy.name, "toxic").reset == 1
    assert way.control.counts(way.proxy.name).ended[Ended.TOXIC_RESET] == 1


def test_reset_peer_resets_new_connections_after_its_time(way: Way) -> None:
    way.add("reset_peer", timeout=30)
    start = time.monotonic()
    with connect(way.proxy) as near:
        near.sendall(b"x")
        assert ending(near) == "rst"
        assert time.monotonic() - start >= 0.03


def test_slicer_keeps_bytes_and_order(way: Way) -> None:
    way.add("slicer", average_size=100, size_variation=50)
    payload = bytes(range(250)) * 80
    way.far.sendall(payload)
    assert read(way.near, len(payload)) == payload
    assert way.control.proof(way.proxy.name, "toxic").affected == 1


def test_slicer_sends_its_pieces_one_after_the_other(way: Way) -> None:
    way.add("slicer", average_size=500, delay=10_000)
    assert way.time_to_arrive(bytes(2000)) >= 0.03  # four pieces, three pauses of 10 ms


@pytest.mark.parametrize("sizes", [[30], [5, 5, 20], [10]])
def test_limit_data_lets_exactly_so_many_bytes_pass(way: Way, sizes: list[int]) -> None:
    way.add("limit_data", bytes=10)
    for size in sizes:
        way.far.sendall(bytes(size))
    assert read(way.near, 100) == bytes(10)
    assert ending(way.far) in ("fin", "rst")
    proof = way.control.proof(way.proxy.name, "toxic")
    assert proof.cut == 1
    if len(sizes) == 1:  # later ones may come when nobody reads any more
        assert proof.bytes_discarded == sizes[0] - 10


def test_limit_data_waits_for_a_latency_behind_it(way: Way) -> None:
    way.add("limit_data", bytes=3)
    way.control.add_toxic(way.proxy.name, "latency", {"latency": 30}, name="late")
    way.far.sendall(b"12345")
    assert read(way.near, 100) == b"123"


def test_toxics_added_during_bulk_lose_and_reorder_nothing(way: Way) -> None:
    payload = b"".join(number.to_bytes(4, "big") for number in range(2_000_000))
    sender = threading.Thread(target=way.far.sendall, args=(payload,))
    sender.start()
    received = bytearray()
    toxics: list[tuple[str, dict[str, int]]] = [
        ("latency", {"latency": 2}),
        ("slicer", {"average_size": 9000}),
        ("noop", {}),
    ]
    for step, (kind, attributes) in enumerate(toxics * 3):
        received += read(way.near, 300_000)
        way.control.add_toxic(way.proxy.name, kind, attributes, name=f"toxic-{step}")
        if step > 1:
            way.control.remove_toxic(way.proxy.name, f"toxic-{step - 2}")
    way.control.remove_toxic(way.proxy.name, "toxic-8")
    received += read(way.near, len(payload) - len(received))
    sender.join()
    assert received == payload


def test_toxicity_is_a_share_of_connections_and_drawn_once(
    proxy: ProxyRecord, upstream: Upstream, client: EngineClient
) -> None:
    client.add_toxic(proxy.name, "noop", name="half", toxicity=0.5)
    nears = [connect(proxy) for _ in range(60)]
    for near in nears:
        near.sendall(b"there")
    for _ in nears:
        assert upstream.accept().recv(5) == b"there"  # so the engine has both of its ends
    hit = {one.number for one in client.connections(proxy.name) if one.toxics}
    assert 10 <= len(hit) <= 50
    client.add_toxic(proxy.name, "noop", name="other")
    client.update_toxic(proxy.name, "half", toxicity=0.5)
    again = {one.number for one in client.connections(proxy.name) if "half" in one.toxics}
    assert again == hit
    client.update_toxic(proxy.name, "half", toxicity=1)
    assert all("half" in one.toxics for one in client.connections(proxy.name))
    client.update_toxic(proxy.name, "half", toxicity=0)
    assert not any("half" in one.toxics for one in client.connections(proxy.name))
    for near in nears:
        near.close()


def test_half_closes_pass_a_black_hole(way: Way) -> None:
    way.add("timeout", timeout=0)
    way.far.shutdown(socket.SHUT_WR)
    assert ending(way.near) == "fin"
