"""A search finds what only several steps together break, and makes it small."""

import pytest

from tests.chaos.runs import outcome


@pytest.mark.timeout(430)
def test_the_search_finds_a_cache_that_a_failed_write_poisons() -> None:
    code, output = outcome("hunted", "remembers_what_is_missing")
    assert code == 0, output
    assert "1 passed" in output
