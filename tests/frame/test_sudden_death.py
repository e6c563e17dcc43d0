"""SIGKILL of `pytest suites` in the middle of its work: nothing of it is left."""

from contextlib import suppress

import psutil
import pytest

from brownout.reaper.run import MARK
from tests.backends.waiting import has_ended, segments, until
from tests.frame.whole_runs import Killed, left_by


@pytest.mark.timeout(180)
@pytest.mark.parametrize("passed", [0, 4])
def test_nothing_is_left_of_killed_suites(passed: int) -> None:
    killed = Killed(passed)
    assert left_by(killed.owner) == []
    if passed:
        assert len(killed.pids) > 4  # reaper, engine, service, PostgreSQL: it was at work
        assert segments(killed.pids) == set()


@pytest.mark.timeout(180)
def test_a_service_that_wrote_over_its_environment_ends_too() -> None:
    """Its mark is gone; that its session was announced is all that is known of it."""
    seen: list[psutil.Process] = []

    def look(killed: Killed) -> None:
        owner = psutil.Process(int(killed.owner.partition("-")[0]))
        seen.extend(
            child for child in owner.children() if "titled_service.py" in " ".join(child.cmdline())
        )
        assert [child.environ().get(MARK) for child in seen] == [None]

    killed = Killed(1, "--brownout-service=tests.frame.unfit:titled", before=look)
    assert left_by(killed.owner) == []
    try:
        assert until(lambda: all(map(has_ended, seen)))
    finally:
        for left in seen:
            with suppress(psutil.NoSuchProcess):
                left.kill()
