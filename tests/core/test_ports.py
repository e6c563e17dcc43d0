"""A port for a program that has to be told its own is nobody's, and nobody takes it meanwhile."""

import socket
from pathlib import Path

import pytest

from brownout import BrownoutError
from brownout.service import ports
from brownout.service.ports import free_port, is_free

HOST = "127.0.0.1"


def test_a_free_port_is_below_those_of_outgoing_connections() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    if first < 12_000:
        pytest.skip("this kernel hands out nearly all ports")
    found = {free_port(HOST) for _ in range(50)}
    assert all(10_240 <= port < first for port in found)
    assert len(found) > 40, "two runs at once hardly ever choose the same"


def test_a_free_port_can_be_listened_on_and_is_free_until_then() -> None:
    port = free_port(HOST)
    assert is_free(HOST, port)
    with socket.create_server((HOST, port)):
        assert not is_free(HOST, port)


@pytest.mark.parametrize(
    ("content", "least", "most"),
    [(None, 10_240, 49_152), ("1024\t65535\n", 10_240, 65_536), ("20000 30000", 10_240, 20_000)],
)
def test_what_the_kernel_hands_out_is_asked_of_it(
    content: str | None,
    least: int,
    most: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = tmp_path / "range"
    if content is not None:
        source.write_text(content)
    monkeypatch.setattr(ports, "_OUTGOING", source)
    assert all(least <= free_port(HOST) < most for _ in range(50))


def test_no_free_port_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(ports, "_LOWEST", port)
        monkeypatch.setattr(ports, "_first_outgoing_port", lambda: port + 1)
        with pytest.raises(BrownoutError, match="No free port was found"):
            free_port(HOST)
