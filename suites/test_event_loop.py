"""Work that waits for the database starves no other."""

from functools import partial

import pytest

from brownout.declaration import Service
from brownout.expectations import (
    expect_all_succeed,
    expect_each,
    expect_free_event_loop,
    expect_near_baseline,
    expect_parallel,
)
from brownout.observations import Latencies
from brownout.trial import Recording
from brownout.trial.plan import EVENT_LOOP, HEAVY_ROUTE, SIDE_BY_SIDE


@pytest.mark.behaviour("X1")
@pytest.mark.trials(*EVENT_LOOP)
def test_the_event_loop_stays_free(brownout_recording: Recording) -> None:
    """Requests that wait for a slow database hold up no other."""
    expect_free_event_loop(brownout_recording)


@pytest.mark.behaviour("X3", needs=Service.reads)
@pytest.mark.trials(SIDE_BY_SIDE)
def test_reads_wait_side_by_side(brownout_recording: Recording) -> None:
    """Twice as many requests as one process has connections take two rounds, not one round each.
    Not assessed with fewer threads than connections: declare as many as `pool`."""
    reads = {operation.name: operation for operation in brownout_recording.declared.reads()}
    expect_each(reads, partial(expect_parallel, brownout_recording))


@pytest.mark.behaviour("X3", needs=Service.writes)
@pytest.mark.trials(SIDE_BY_SIDE)
def test_writes_wait_side_by_side(brownout_recording: Recording) -> None:
    """So do writes, where it is not the database's own locks that make them wait."""
    writes = {operation.name: operation for operation in brownout_recording.declared.writes()}
    expect_each(writes, partial(expect_parallel, brownout_recording))


@pytest.mark.behaviour("X2")
@pytest.mark.trials(HEAVY_ROUTE)
def test_a_heavy_route_does_not_starve_liveness(brownout_recording: Recording) -> None:
    """p99 within a probe's time-out while many callers ask for what costs CPU time."""
    asked = brownout_recording.note("sampled")
    limit = brownout_recording.declared.health.timeout
    expect_all_succeed(asked)
    expect_near_baseline(Latencies.of(asked), ceiling=limit, what="Liveness")
