"""SIGKILL of `pytest suites` in the middle of its work: nothing of it is left."""

import pytest

from tests.backends.waiting import segments
from tests.frame.whole_runs import Killed, left_by


@pytest.mark.timeout(180)
@pytest.mark.parametrize("passed", [0, 4])
def test_nothing_is_left_of_killed_suites(passed: int) -> None:
    killed = Killed(passed)
    assert left_by(killed.owner) == []
    if passed:
        assert len(killed.pids) > 4  # reaper, engine, service, PostgreSQL: it was at work
        assert segments(killed.pids) == set()
