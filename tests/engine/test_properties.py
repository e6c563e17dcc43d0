"""What holds for any bytes, any chunks, any stack of toxics, and any body of a call."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brownout.control import EngineProcess
from tests.engine.peers import Upstream, connect, read

_serial = count(1)
_QUIET = settings(max_examples=40, deadline=None)


@dataclass(frozen=True)
class Placed:
    """A toxic that drops nothing."""

    type: str
    attributes: dict[str, int]


def slicers() -> st.SearchStrategy[dict[str, int]]:
    return st.integers(1, 5000).flatmap(
        lambda average: st.fixed_dictionaries(
            {
                "average_size": st.just(average),
                "size_variation": st.integers(0, average),
                "delay": st.integers(0, 20),
            }
        )
    )


HARMLESS = {
    "latency": st.fixed_dictionaries({"latency": st.integers(0, 4), "jitter": st.integers(0, 4)}),
    "bandwidth": st.fixed_dictionaries({"rate": st.integers(20_000, 2**40)}),
    "slicer": slicers(),
    "slow_close": st.fixed_dictionaries({"delay": st.integers(0, 4)}),
    "limit_data": st.fixed_dictionaries({"bytes": st.integers(2**30, 2**62)}),
    "noop": st.just({}),
}


def toxics() -> st.SearchStrategy[Placed]:
    return st.one_of(
        [st.builds(Placed, st.just(kind), values) for kind, values in HARMLESS.items()]
    )


STEPS = st.one_of(
    st.integers(1, 100_000),  # so many bytes are sent
    toxics(),  # a toxic is added
    st.just("remove"),
    st.just("change"),
)


@_QUIET
@given(steps=st.lists(STEPS, max_size=14), up=st.booleans())
def test_bytes_arrive_whole_and_in_order_through_any_stack_of_toxics(
    engine: EngineProcess, steps: list[int | Placed | str], up: bool
) -> None:
    client, upstream, name = engine.client, Upstream(), f"stack-{next(_serial)}"
    proxy = client.create_proxy(name, upstream.address)
    stream = "upstream" if up else "downstream"
    payload = bytes(range(251)) * 6000
    received = bytearray()
    with connect(proxy) as near:
        far = upstream.accept()
        source, target = (near, far) if up else (far, near)
        reader = threading.Thread(target=lambda: received.extend(read(target, len(payload))))
        reader.start()
        sent, placed = 0, list[tuple[str, Placed]]()
        for place, step in enumerate(steps):
            if isinstance(step, int):
                source.sendall(payload[sent : sent + step])
                sent += len(payload[sent : sent + step])
            elif isinstance(step, Placed):
                placed.append((f"{step.type}-{place}", step))
                client.add_toxic(
                    name, step.type, step.attributes, stream=stream, name=placed[-1][0]
                )
            elif placed and step == "remove":
                client.remove_toxic(name, placed.pop(0)[0])
            elif placed:
                client.update_toxic(name, placed[0][0], placed[0][1].attributes)
        source.shutdown(1)
        reader.join(20)
        assert not reader.is_alive()
    client.delete_proxy(name)
    upstream.close()
    assert bytes(received) == payload[:sent]


@pytest.fixture(scope="module")
def api(engine: EngineProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://{engine.address}", trust_env=False, timeout=5) as client:
        client.post(
            "/proxies", json={"name": "h", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1"}
        )
        client.post("/proxies/h/toxics", json={"type": "latency", "name": "t"})
        yield client
        client.delete("/proxies/h")


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=True)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
NO_TEXT = JSON.filter(lambda value: value is not None and not isinstance(value, str))
NO_NUMBER = JSON.filter(
    lambda value: value is not None and (isinstance(value, bool) or not isinstance(value, int))
)
OUT_OF_RANGE = st.integers(max_value=-1) | st.integers(min_value=2**63)
NO_SHARE = st.one_of(
    st.floats(max_value=-1e-9, allow_nan=False),
    st.floats(min_value=1 + 1e-9),
    st.just(float("nan")),
    st.text(),
    st.booleans(),
    st.lists(st.integers()),
)
ATTRIBUTES = {
    "latency": ["latency", "jitter"],
    "bandwidth": ["rate"],
    "slow_close": ["delay"],
    "timeout": ["timeout"],
    "reset_peer": ["timeout"],
    "limit_data": ["bytes"],
}


def is_unchanged(api: httpx.Client, before: Any) -> bool:
    return bool(api.get("/proxies").json() == before)


@_QUIET
@given(field=st.sampled_from(["name", "listen", "upstream"]), value=NO_TEXT)
def test_a_proxy_with_a_field_of_the_wrong_type_is_400_and_changes_nothing(
    api: httpx.Client, field: str, value: Any
) -> None:
    before = api.get("/proxies").json()
    body = {"name": "x", "listen": "127.0.0.1:0", "upstream": "a:1", field: value}
    for method, path in (("POST", "/proxies"), ("POST", "/populate")):
        content = json.dumps([body] if path == "/populate" else body)
        assert api.request(method, path, content=content).status_code == 400
    if field != "name":  # an update ignores it
        assert api.patch("/proxies/h", content=json.dumps({field: value})).status_code == 400
    assert is_unchanged(api, before)


@_QUIET
@given(data=st.data(), kind=st.sampled_from(sorted(ATTRIBUTES)))
def test_a_hostile_number_is_400_and_changes_nothing(
    api: httpx.Client, data: st.DataObject, kind: str
) -> None:
    before = api.get("/proxies").json()
    attribute = data.draw(st.sampled_from(ATTRIBUTES[kind]))
    value = data.draw(NO_NUMBER | OUT_OF_RANGE)
    body = json.dumps({"type": kind, "name": "new", "attributes": {attribute: value}})
    assert api.post("/proxies/h/toxics", content=body).status_code == 400
    if kind == "latency":
        update = json.dumps({"attributes": {attribute: value}, "toxicity": 0.5})
        assert api.patch("/proxies/h/toxics/t", content=update).status_code == 400
    assert is_unchanged(api, before)


@_QUIET
@given(toxicity=NO_SHARE)
def test_a_toxicity_that_is_no_share_is_400_and_changes_nothing(
    api: httpx.Client, toxicity: Any
) -> None:
    before = api.get("/proxies").json()
    body = json.dumps({"type": "noop", "name": "new", "toxicity": toxicity})
    assert api.post("/proxies/h/toxics", content=body).status_code == 400
    assert api.post("/proxies/h/toxics/t", content=body).status_code == 400
    assert is_unchanged(api, before)


@pytest.mark.parametrize("path", ["/proxies", "/populate", "/proxies/h", "/proxies/h/toxics"])
def test_a_body_without_end_is_400_before_it_is_read(api: httpx.Client, path: str) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        while sent < 2**33:  # 8 GiB
            sent += 2**20
            yield b" " * 2**20

    with contextlib.suppress(httpx.WriteError):  # nobody reads the rest of it
        assert api.post(path, content=body()).status_code == 400
    assert sent < 2**28
    assert api.get("/version").status_code == 200


PATHS = ["/proxies", "/populate", "/proxies/h", "/proxies/h/toxics", "/proxies/h/toxics/t"]


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from([*PATHS, "/leases"]), body=JSON.map(json.dumps) | st.binary())
def test_no_body_is_a_server_error(api: httpx.Client, path: str, body: str | bytes) -> None:
    assert api.post(path, content=body).status_code in (200, 201, 400, 404, 409)
    assert api.get("/version").status_code == 200
