"""The command line: the gate's verdict, and clear errors."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from brownout import __version__, cli

COMMAND = [sys.executable, "-c", "import sys, brownout.cli; sys.exit(brownout.cli.main())"]

NOTHING_CAN_BE_SAID = (
    "brownout gate: exit code 2, nothing can be said: something is unknown, nothing was assessed, "
    "or the run did not finish"
)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A folder for the gate's report, with an earlier run's document in it."""
    (tmp_path / "brownout.json").write_text('{"exit_code": 0}')
    return tmp_path


def read(report: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((report / "brownout.json").read_text(encoding="utf-8"))
    return document


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"brownout {__version__}\n"


@pytest.mark.parametrize(("words", "code"), [([], 2), (["--help"], 0), (["-h"], 0)])
def test_usage(capsys: pytest.CaptureFixture[str], words: list[str], code: int) -> None:
    assert cli.main(words) == code
    assert "gate    run the suites" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("word", "hint"), [("gaet", "Did you mean 'gate'?"), ("--zzz", "Known: gate, proxy, wire.")]
)
def test_unknown_command(capsys: pytest.CaptureFixture[str], word: str, hint: str) -> None:
    assert cli.main([word]) == 2
    assert capsys.readouterr().err == f"brownout: there is no command {word!r}. {hint}\n"


def test_gate_explains_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["gate", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert all(option in text for option in ("--backend", "--service", "--report", "--strict"))


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param(["--backend=dokcer"], "--brownout-backend is 'dokcer', but", id="backend"),
        pytest.param(["--service=nowhere:x"], "there is no module 'nowhere'", id="service"),
        pytest.param(["--no-such-option"], "pytest ended with code 4", id="pytest-option"),
        pytest.param(["--brownout-bakend=x"], "pytest ended with code 2", id="our-option"),
        pytest.param(["--collect-only"], "pytest ended with code 0", id="nothing-judged"),
    ],
)
def test_gate_that_judges_nothing_says_why_in_its_document(
    capfd: pytest.CaptureFixture[str], report: Path, words: list[str], error: str
) -> None:
    assert cli.main(["gate", f"--report={report}", *words]) == 2
    document = read(report)
    assert document["exit_code"] == 2
    assert error in document["error"]
    assert capfd.readouterr().out.splitlines()[-1] == NOTHING_CAN_BE_SAID


def test_gate_without_anything_selected(capfd: pytest.CaptureFixture[str], report: Path) -> None:
    assert cli.main(["gate", f"--report={report}", "-k", "nothing_of_the_kind"]) == 2
    assert read(report)["behaviours"] == []
    assert capfd.readouterr().out.splitlines()[-1] == NOTHING_CAN_BE_SAID


def test_gate_that_cannot_write_its_report(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert cli.main(["gate", "--report", str(tmp_path / "file" / "out")]) == 2
    assert capsys.readouterr().err.startswith("brownout gate: The report cannot be written into ")


def test_gate_hands_a_signal_on_and_ends_after_pytest(report: Path) -> None:
    waits = report / "waits.py"
    waits.write_text("import time\nprint('waiting', flush=True)\ntime.sleep(60)\n")
    with subprocess.Popen(
        [*COMMAND, "gate", f"--report={report}", "--service=waits:service", "--replicas=1", "-s"],
        cwd=report,
        stdout=subprocess.PIPE,
        text=True,
    ) as gate:
        assert gate.stdout is not None
        assert any("waiting" in line for line in gate.stdout)
        gate.send_signal(signal.SIGTERM)
        rest = gate.stdout.read()
    assert gate.returncode == 2
    assert rest.splitlines()[-1] == NOTHING_CAN_BE_SAID
    assert read(report)["exit_code"] == 2
