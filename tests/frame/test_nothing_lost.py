"""However a gate ends, its report says what was known, and nothing of it is left."""

import re
import signal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.backends.waiting import until
from tests.frame.gates import Gate

SOUND = ["--service=tests.trial.declared:sound", "--only=outage,reset,cut,restart"]
SOME_KEPT = {"--replicas=1": "[2/4]", "--replicas=2": "[3/4]"}
"""By then a replica has ended its first trial and all of its judgements."""
BROKEN = ["--service=tests.controls.declared:empty_instead", "--only=outage,black_hole,reset,cut"]
WRITTEN_WITHIN = 60.0  # seconds, of which a quiet machine needs none
UNFINISHED = "The run has not ended: this is what was known."


def verdicts(gate: Gate) -> set[str]:
    """The verdicts of what is assessed: E10 asks for a member that this service's errors lack."""
    found = {behaviour["verdict"] for behaviour in gate.document()["behaviours"]}
    return found - {"not assessed"}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("replicas", ["--replicas=1", "--replicas=2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_gate_that_is_interrupted_reports_what_is_known(
    tmp_path: Path, number: signal.Signals, replicas: str
) -> None:
    with Gate(tmp_path, replicas, *SOUND) as gate:
        gate.until(SOME_KEPT[replicas])
        if number == signal.SIGINT:
            gate.send_to_all(number)
        else:
            gate.process.send_signal(number)
        code, said = gate.end()
        assert code == 2, said
        assert re.search(r"^  \w+ +kept ", said, re.MULTILINE)
        left_out = re.search(r"interrupted, \d+ of \d+ checks were not run", said)
        assert left_out is not None
        assert left_out[0] in gate.document()["error"]
        assert "kept" in verdicts(gate) <= {"kept", "unknown"}
        assert gate.document()["exit_code"] == 2
        assert ET.parse(gate.report / "junit.xml").getroot().iter("testcase")  # noqa: S314 - ours
        assert gate.left() == []


@pytest.mark.timeout(180)
def test_a_gate_that_is_interrupted_twice_ends_with_what_was_written(tmp_path: Path) -> None:
    with Gate(tmp_path, "--replicas=2", *SOUND) as gate:
        gate.until(SOME_KEPT["--replicas=2"])
        gate.send_to_all(signal.SIGINT)
        gate.send_to_all(signal.SIGINT)
        code, said = gate.end()
        assert code == 2, said
        assert "kept" in verdicts(gate) <= {"kept", "unknown"}
        assert gate.left() == []


@pytest.mark.timeout(180)
def test_what_was_broken_before_the_end_outranks_what_is_not_known(tmp_path: Path) -> None:
    with Gate(tmp_path, "--replicas=1", *BROKEN) as gate:
        gate.until("[2/")
        gate.process.send_signal(signal.SIGTERM)
        code, said = gate.end()
        assert code == 1, said
        assert "broken" in verdicts(gate)
        assert gate.document()["exit_code"] == 1
        assert gate.left() == []


@pytest.mark.timeout(180)
@pytest.mark.parametrize("replicas", ["--replicas=1", "--replicas=2"])
def test_a_gate_whose_pytest_is_killed_reports_what_it_knew(tmp_path: Path, replicas: str) -> None:
    with Gate(tmp_path, replicas, *BROKEN) as gate:
        gate.until("FAILED")
        # The report is written when the test is over, not yet when it has failed.
        assert until(lambda: "broken" in verdicts(gate), within=WRITTEN_WITHIN)
        gate.pytest().kill()
        code, said = gate.end()
        document = gate.document()
        assert code == document["exit_code"] == 1, said
        assert document["error"] == UNFINISHED
        assert "broken" in verdicts(gate)
        assert gate.left() == []


@pytest.mark.timeout(180)
def test_a_gate_that_is_killed_leaves_a_report_and_nothing_else(tmp_path: Path) -> None:
    with Gate(tmp_path, "--replicas=2", *SOUND) as gate:
        gate.until(SOME_KEPT["--replicas=2"])
        gate.process.kill()
        gate.process.wait()
        assert gate.left() == []
        assert "kept" in verdicts(gate) <= {"kept", "unknown"}
        assert gate.document()["exit_code"] == 2


@pytest.mark.timeout(180)
def test_a_trial_whose_worker_is_killed_is_made_once_more(tmp_path: Path) -> None:
    with Gate(tmp_path, "--replicas=2", *SOUND) as gate:
        gate.until("outage", "begins")
        gate.until("begins")
        gate.workers()[0].kill()
        code, said = gate.end()
        assert code == 0, said
        assert verdicts(gate) == {"kept"}
        assert len(list((gate.report / "recordings").iterdir())) == 4
        assert gate.left() == []


@pytest.mark.timeout(180)
def test_a_set_up_that_fails_is_told_once_and_ends_the_run(tmp_path: Path) -> None:
    """A migration, for instance: each replica prepares its own database."""
    with Gate(tmp_path, "--replicas=2", "-q", "--service=tests.frame.unfit:unprepared") as gate:
        code, said = gate.end()
        assert code == 2, said
        told = " ".join(said.split())  # wherever the lines are wrapped, for their paths are long
        assert told.count(" of `prepare` ended with") == 1
        assert said.count("no such revision 199") == 1
        assert "no such revision 1\n" not in said
        assert "brownout_service could not be set up" in said
        assert len(said.splitlines()) < 70
        assert gate.left() == []
