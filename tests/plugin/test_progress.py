"""What a gate shows while it runs: its plan, each trial's beginning and end."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from brownout.trial import plan
from brownout.trial.duration import longest_of
from tests.plugin.conftest import QUIETLY
from tests.trial.declared import sound

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
GATE = [*QUIETLY, "-p", "brownout.plugin.progress"]
DECLARED = "--brownout-service=tests.trial.declared:sound"

TESTS = """
import pytest
from brownout.trial import Trial
from brownout.trial.plan import OUTAGE, RESET

LONG = Trial("_".join(["a", "name", "of", "many", "words"] * 3))

@pytest.fixture
def brownout_recording(request, record_property):
    record_property("brownout", {"trial": request.param.id, "seconds": 1.5})

@pytest.mark.behaviour("E5")
@pytest.mark.trials(OUTAGE, RESET)
def test_one(brownout_recording): pass

@pytest.mark.behaviour("H1")
@pytest.mark.trials(OUTAGE)
def test_another(brownout_recording): pass
"""
OF_AN_ADOPTER = """
@pytest.mark.behaviour("H1")
@pytest.mark.trials(LONG)
def test_own(brownout_recording): pass
"""


@pytest.fixture
def run(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """The project with tests that judge three trials."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    project.makepyfile(test_it=TESTS)
    return project


def without_times(line: str) -> str:
    return re.sub(r"\d+ s so far", "n s so far", line)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_the_plan_and_each_trials_beginning_and_end(
    run: pytest.Pytester, workers: list[str]
) -> None:
    result = run.runpytest_subprocess(*GATE, "-v", DECLARED, *workers)
    assert result.ret == 0
    lines = [without_times(line) for line in result.outlines]
    replicas = 2 if workers else 1
    longest = longest_of([plan.OUTAGE, plan.RESET], sound, replicas)
    shown = f"{longest.total_seconds():.0f} s"
    on = f" on {replicas} replicas" if workers else ""
    assert f"brownout: 3 checks in 2 trials{on}, up to about {shown}" in lines
    for trial in ("outage", "reset"):
        begins = f"      {trial:<36}  begins   (n s so far)"
        (over,) = [line for line in lines if re.match(rf"\[[12]/2\] {trial} +1.5 s", line)]
        assert lines.count(begins) == 1
        assert lines.index(begins) < lines.index(over)


def test_a_trial_that_the_declaration_does_not_allow_for_is_not_counted(
    run: pytest.Pytester,
) -> None:
    """`brownout check` counts the same ones."""
    run.makepyfile(
        test_it=TESTS.replace("OUTAGE, RESET", "OUTAGE, BREAKING").replace(
            "import OUTAGE, RESET", "import BREAKING, OUTAGE"
        )
    )
    result = run.runpytest_subprocess(*GATE, DECLARED)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["brownout: 3 checks in 1 trial, up to about *"])


def test_each_line_has_room_in_80_columns(run: pytest.Pytester) -> None:
    run.makepyfile(test_it=TESTS + OF_AN_ADOPTER)
    result = run.runpytest_subprocess(*GATE, "-v")
    lines = [line for line in result.outlines if "so far" in line or "checks in" in line]
    assert len(lines) == 1 + 2 * 3
    assert max(map(len, lines)) < 80
    assert "brownout: 4 checks in 3 trials" in lines, "how long it takes is not known"


TOLD = """
import time
from pathlib import Path
import pytest
from brownout.plugin import progress

progress._PERIOD = 0.02

@pytest.fixture(autouse=True)
def until_told():
    deadline = time.monotonic() + 60
    while "under way: outage" not in Path("told").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
"""


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_log_tells_again_and_again_what_is_under_way_and_not_of_each_trial(
    run: pytest.Pytester, workers: list[str]
) -> None:
    run.makeconftest(TOLD)
    command = [sys.executable, "-m", "pytest", *GATE, DECLARED, *workers]
    told = run.path / "told"
    with told.open("w") as file:
        ended = subprocess.run(command, cwd=run.path, stdout=file, check=False)
    lines = [without_times(line) for line in told.read_text().splitlines()]
    assert ended.returncode == 0, lines
    assert any(line.startswith("brownout: 3 checks in 2 trials") for line in lines)
    assert any(line.startswith("[0/2] (n s so far) under way: outage") for line in lines)
    assert not [line for line in lines if " begins " in line or re.search(r"outage +1.5 s", line)]
    assert not [line for line in lines if line.startswith("test_it.py")], "files are not shown"


NOT_MADE = """
@pytest.mark.behaviour("H1")
@pytest.mark.trials(Trial("alone", alone=True))
@pytest.mark.skip("not declared")
def test_skipped(brownout_recording): pass
"""


def test_a_trial_that_is_not_made_is_over_at_once(run: pytest.Pytester) -> None:
    run.makeconftest(TOLD)
    run.makepyfile(test_it=TESTS + NOT_MADE)
    command = [sys.executable, "-m", "pytest", *GATE]
    told = run.path / "told"
    with told.open("w") as file:
        ended = subprocess.run(command, cwd=run.path, stdout=file, check=False)
    lines = [without_times(line) for line in told.read_text().splitlines()]
    assert ended.returncode == 0, lines
    assert any(line.startswith("brownout: 4 checks in 3 trials") for line in lines), lines
    assert "[1/3] (n s so far) under way: outage" in lines, "the one alone came first"
    assert not [line for line in lines if "alone" in line and not line.startswith("[0/3]")]


def test_on_a_terminal_the_last_line_tells_what_is_under_way(run: pytest.Pytester) -> None:
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "pytest", *GATE, "-n", "2"]
    with subprocess.Popen(command, cwd=run.path, stdout=its, stderr=its) as process:
        os.close(its)
        said = b""
        try:
            while piece := os.read(ours, 4096):
                said += piece
        except OSError:  # its end has closed
            pass
        assert process.wait() == 0
    os.close(ours)
    text = said.decode()
    assert re.search(r"\r0 of 2 trials; now (outage|reset)", text)
    assert re.search(r"\r\[1/2\] \w+ +1.5 s", text), "its own line, from the first column"
    assert " begins " not in text


def test_a_signal_in_a_finalizer_is_not_lost(project: pytest.Pytester) -> None:
    """Python drops what is raised there (`sys.unraisablehook`)."""
    project.makepyfile(
        test_it="""
import os
import signal
import pytest

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

@pytest.mark.behaviour("T1")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one():
    Finalized()

@pytest.mark.behaviour("T2")
def test_another(): pass
"""
    )
    result = project.runpytest_subprocess(*GATE)
    assert result.ret == 2
    result.stdout.fnmatch_lines(["brownout: interrupted, * of 2 checks were not run"])
    result.stdout.no_fnmatch_line("*T2*kept*")
