"""A search finds what only several steps together break, and makes it small."""

import os

import pytest

from tests.chaos.hunted import LONG, QUICK
from tests.chaos.runs import outcome

SERVICES = {**QUICK, **LONG} if os.environ.get("BROWNOUT_HUNT") == "all" else QUICK


@pytest.mark.timeout(630)
@pytest.mark.parametrize("service", SERVICES)
def test_the_search_finds_what_two_steps_together_break(service: str) -> None:
    code, output = outcome("hunted", service, HUNTED=service)
    assert code == 0, output
    assert "1 passed" in output
