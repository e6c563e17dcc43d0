"""The two kinds of proxy that a service may have before its database."""

from collections.abc import Iterator

import pytest

from tests.engine.conformance.servers import original, require_original
from tests.engine.foreground import serving


@pytest.fixture(scope="module")
def engine_elsewhere() -> Iterator[str]:
    """`brownout proxy`, as a team runs it; its API's address."""
    # Its log goes into a pipe that is not read: a full one would hold it up.
    with serving(environment={"LOG_LEVEL": "error"}) as (client, _):
        yield f"127.0.0.1:{client.base_url.port}"


@pytest.fixture(scope="module")
def toxiproxy_elsewhere() -> Iterator[str]:
    """The real Toxiproxy; its API's address."""
    require_original()
    with original() as api:
        yield api


@pytest.fixture(scope="module", params=["engine", "toxiproxy"])
def api(request: pytest.FixtureRequest) -> str:
    """Both, one after the other."""
    address: str = request.getfixturevalue(f"{request.param}_elsewhere")
    return address
