"""A search finds what only several steps together break, and makes it small."""

import pytest

from tests.chaos.runs import outcome


@pytest.mark.timeout(430)
@pytest.mark.parametrize(
    "service", ["forgets_the_key_after_a_conflict", "remembers_what_is_missing"]
)
def test_the_search_finds_what_a_service_breaks(service: str) -> None:
    code, output = outcome("hunted", service, SERVICE=service)
    assert code == 0, output
    assert "1 passed" in output
