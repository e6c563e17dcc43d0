"""However many descriptors there may be, some are kept for the API."""

import resource

import pytest

from brownout.engine import descriptors


@pytest.fixture
def limit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The limit of open files, as the system tells it."""
    most: int = request.param
    monkeypatch.setattr(resource, "getrlimit", lambda _: (most, most))
    descriptors._last_spare.cache_clear()
    return most


@pytest.mark.parametrize("limit", [64, 256, 1024, 1 << 20, resource.RLIM_INFINITY], indirect=True)
def test_a_share_is_kept(limit: int) -> None:
    callers = descriptors.callers_at_most()
    assert 0 < callers <= 128
    assert descriptors.spare(20)
    if limit != resource.RLIM_INFINITY:
        assert not descriptors.spare(limit - callers)
        with pytest.raises(OSError, match="Too many open files"):
            descriptors.need(limit - callers)
    descriptors.need(20)


def teardown_module() -> None:
    """Forget the limits that these tests made up."""
    descriptors._last_spare.cache_clear()
