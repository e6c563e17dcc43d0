"""One table, two servers: every connection fares as Toxiproxy's contract says."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from brownout.control import ToxiproxyClient
from tests.engine.conformance.observations import OBSERVATIONS, Bench, Observation
from tests.engine.conformance.servers import engine, original, require_original
from tests.engine.peers import PATIENCE

NAMES = [observation.name for observation in OBSERVATIONS]


def served(server: str) -> AbstractContextManager[str]:
    if server == "toxiproxy":
        require_original()
        return original()
    return engine()


@pytest.fixture(scope="module", params=["ours", "toxiproxy"])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    with served(request.param) as api:
        yield request.param, api


@pytest.mark.parametrize("observation", OBSERVATIONS, ids=NAMES)
def test_a_connection_fares_as_the_contract_says(
    server: tuple[str, str], observation: Observation
) -> None:
    name, api = server
    if observation.spoils and name == "toxiproxy":
        with served(name) as fresh:
            found = observe(observation, fresh)
    else:
        found = observe(observation, api)
    if name == "ours":
        assert found == (observation.ours or observation.contract)
    else:
        assert found in (observation.contract, *observation.also)


def observe(observation: Observation, api: str) -> str:
    client = ToxiproxyClient(api, timeout=PATIENCE)
    bench = Bench(client, observation.name.replace(" ", "-"))
    try:
        return observation.observe(bench)
    finally:
        bench.close()


def test_every_difference_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/proxy.md").read_text()
    assert all(f"\n| {one.why}" in page for one in OBSERVATIONS if one.ours is not None)
