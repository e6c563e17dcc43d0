"""One table, two servers: every call is answered as Toxiproxy's contract says."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engine.conformance.calls import ADDRESS, ANY, CALLS, Answer, Call
from tests.engine.conformance.servers import engine, original, require_original

SERVERS = ["ours", "toxiproxy"]

_LEFT_OVER = ("Logger",)  # a field that the original shows by oversight, always empty


@pytest.fixture(scope="module", params=SERVERS)
def session(request: pytest.FixtureRequest) -> dict[str, tuple[httpx.Response, str]]:
    """Every call of the table made in its order, and what came back."""
    if request.param == "toxiproxy":
        require_original()
    answers = {}
    with (
        (engine if request.param == "ours" else original)() as api,
        httpx.Client(base_url=f"http://{api}", timeout=10, trust_env=False) as client,
    ):
        for place, call in enumerate(CALLS):
            answers[f"{place}"] = make(client, call, api), request.param
    return answers


def make(client: httpx.Client, call: Call, api: str) -> httpx.Response:
    if call.raw is not None:
        content = call.raw.encode("utf-8", "surrogateescape")
    else:
        content = b"" if call.body is None else json.dumps(call.body).encode()
    content = content.replace(b"{api}", api.encode())
    return client.request(call.method, call.path, content=content, headers=dict(call.headers))


def same(wanted: Any, found: Any) -> bool:
    """Whether they are equal, but for what the table leaves open."""
    if wanted == ANY:
        return True
    if wanted == ADDRESS:
        return isinstance(found, str) and re.fullmatch(r"127\.0\.0\.1:[1-9]\d*", found) is not None
    if isinstance(wanted, dict) and isinstance(found, dict):
        found = {name: value for name, value in found.items() if name not in _LEFT_OVER}
        return wanted.keys() == found.keys() and all(same(wanted[k], found[k]) for k in wanted)
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(same, wanted, found))
    return bool(wanted == found)


@pytest.mark.parametrize("place", range(len(CALLS)), ids=[call.name for call in CALLS])
def test_a_call_is_answered_as_the_contract_says(
    session: dict[str, tuple[httpx.Response, str]], place: int
) -> None:
    call = CALLS[place]
    response, server = session[f"{place}"]
    answer = call.ours if server == "ours" and call.ours is not None else call.answer
    assert response.status_code == answer.status, response.text
    check(answer, response)


def check(answer: Answer, response: httpx.Response) -> None:
    if answer.text is not None:
        assert answer.text in (ANY, response.text)
    elif answer.error is not None:
        body = response.json()
        assert body["error"].startswith(answer.error)
        assert body["status"] == answer.status
    else:
        assert same(answer.json, response.json()), response.text
    for name, value in answer.headers.items():
        assert same(value, response.headers.get(name)), response.headers


def test_every_difference_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/proxy.md").read_text()
    assert all(f"\n| {call.why}" in page for call in CALLS if call.ours is not None)
