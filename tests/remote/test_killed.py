"""A gate that ends while a fault is in force: the proxy elsewhere is healed all the same."""

import signal
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from brownout.backends.model import Backend
from brownout.backends.remote import LEASE
from brownout.reaper import Reaper
from brownout.reaper.run import REAPER_MARK
from tests.backends.waiting import until
from tests.frame.gates import Gate
from tests.remote.staging import Staging, staging

pytestmark = pytest.mark.timeout(180)

FAULTS = {"outage": "long_outage", "black hole": "black_hole"}
"""One that disables the proxy, and one that is a toxic."""


def children_of(gate: Gate) -> list[psutil.Process]:
    """Pytest, and what it has started."""
    return psutil.Process(gate.process.pid).children(recursive=True)


def reapers_of(gate: Gate) -> list[psutil.Process]:
    """The reaper of its run; that of the gate's announcement has ended by now."""
    found = []
    for one in children_of(gate):
        with suppress(psutil.Error):  # it has ended meanwhile
            if REAPER_MARK in one.environ():
                found.append(one)
    return found


def killed_in(folder: Path, place: Staging, trial: str, *, with_reapers: bool) -> None:
    """Run a gate until its fault is in force; then kill all of it, and its reapers if asked to."""
    with Gate(folder, *place.words("--allow-unleased", f"--only={trial}")) as gate:
        gate.until(trial, "begins")
        # All of it is there before the fault: then no time passes between the fault and the kill.
        assert until(lambda: bool(reapers_of(gate)), within=30)
        family, reapers = children_of(gate), reapers_of(gate)
        assert until(lambda: not place.is_whole(), within=30)
        # The reapers first: each acts as soon as its owner is dead.
        for process in [*(reapers if with_reapers else []), *(set(family) - set(reapers))]:
            process.kill()
        gate.process.kill()
        gate.process.wait()


@pytest.mark.parametrize("trial", FAULTS.values(), ids=FAULTS)
def test_the_lease_heals_what_no_process_of_this_machine_can(
    server: Backend, reaper: Reaper, tmp_path: Path, engine_elsewhere: str, trial: str
) -> None:
    with staging(server, reaper, tmp_path, engine_elsewhere) as place:
        killed_in(tmp_path, place, trial, with_reapers=True)
        assert not place.is_whole(), "it is the lease that heals, and it has not ended yet"
        assert until(place.is_whole, within=LEASE.total_seconds() * 2)


@pytest.mark.parametrize("trial", FAULTS.values(), ids=FAULTS)
def test_the_reaper_heals_a_toxiproxy(
    server: Backend, reaper: Reaper, tmp_path: Path, toxiproxy_elsewhere: str, trial: str
) -> None:
    with staging(server, reaper, tmp_path, toxiproxy_elsewhere) as place:
        killed_in(tmp_path, place, trial, with_reapers=False)
        assert until(place.is_whole, within=30)


def test_a_run_that_is_interrupted_heals_at_once(
    server: Backend, reaper: Reaper, tmp_path: Path, api: str
) -> None:
    with staging(server, reaper, tmp_path, api) as place:
        words = place.words("--allow-unleased", "--only=long_outage")
        with Gate(tmp_path, *words) as gate:
            gate.until("long_outage", "begins")
            assert until(lambda: not place.is_whole(), within=30)
            gate.process.send_signal(signal.SIGTERM)
            code, said = gate.end()
        assert code == 2, said
        assert place.is_whole()


def test_without_its_reaper_a_toxiproxy_stays_broken(
    server: Backend, reaper: Reaper, tmp_path: Path, toxiproxy_elsewhere: str
) -> None:
    """The control: this is what `--allow-unleased` accepts."""
    with staging(server, reaper, tmp_path, toxiproxy_elsewhere) as place:
        killed_in(tmp_path, place, "long_outage", with_reapers=True)
        assert not until(place.is_whole, within=LEASE.total_seconds())
