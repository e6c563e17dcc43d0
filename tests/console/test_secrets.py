"""Whatever a service says of its secrets, the page holds none."""

import json
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.backends.waiting import until
from tests.console.commanded import up
from tests.secrets.forms import FORMS
from tests.secrets.test_nothing_leaks import API_KEY, PASSWORD, ROOT, Planted

REACHED = {
    "Latency": ({"delay": "10"}, ("@log: ", "@a 2xx's body: ", "@SQL: ")),
    "Outage": ({}, ("@log of an error: ", "@an error's body: ")),
}
"""The values of each fault, and where the service says its secrets under it. It gives a statement
400 ms, so the delay leaves it most of them: with 300 ms a slow machine sees no success."""


def look(client: httpx.Client, seen: list[str], at: int, places: tuple[str, ...]) -> bool:
    """Look at the page three times at least; whether it has what was said at each of the places."""
    seen.append(client.get("state?messages=yes").text)
    return len(seen) > at + 2 and all(place in "".join(seen[at:]) for place in places)


@pytest.mark.timeout(180)
def test_no_secret_is_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = tmp_path / "notes"
    monkeypatch.setenv("BLABBING_NOTES", str(notes))
    monkeypatch.setenv("BLABBING_PASSWORD", PASSWORD)
    monkeypatch.setenv("BLABBING_API_KEY", API_KEY)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with (
        up(tmp_path, "--service=tests.secrets.blabbing:by_token") as command,
        httpx.Client(base_url=command.address, timeout=30, trust_env=False) as client,
    ):
        seen = [client.get("").text]
        operations = list(client.get("state").json()["operations"])
        load = client.post("load", json={"rate": 2, "operations": operations})
        assert load.json() == {}
        for fault, (values, places) in REACHED.items():
            client.post("break", json={"fault": fault, "values": values})
            assert until(partial(look, client, seen, len(seen), places), within=60, every=0.5)
        client.post("heal-all", json={})
        seen.append(client.get("saved").text)
    everything = command.said + "".join(seen)

    planted = [Planted(**json.loads(line)) for line in notes.read_text("utf-8").splitlines()]
    assert [(one.place, one.what, one.form) for one in planted if one.is_in(everything)] == []
    reached = {one.form for one in planted if one.label in everything}
    assert len(reached) > len(FORMS) / 2, "what was planted has come to the page"
