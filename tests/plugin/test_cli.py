"""The command line: the gate's verdict, and clear errors."""

import json
import os
import signal
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from brownout import __version__, cli
from brownout.cli.arguments import refuse_misspelt
from brownout.cli.ending import report_folder
from brownout.cli.gate import parser
from brownout.cli.holding import held
from brownout.settings.options import REPORT
from tests.plugin.test_handover import DECLARATION

COMMAND = [sys.executable, "-c", "import sys, brownout.cli; sys.exit(brownout.cli.main())"]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A folder for the gate's report, with an earlier run's document in it."""
    (tmp_path / "brownout.json").write_text('{"exit_code": 0}')
    return tmp_path


@pytest.fixture(autouse=True)
def declared(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the gate is called in: with a declaration, and no service behind it."""
    folder = tmp_path_factory.mktemp("declared")
    (folder / "brownout_service.py").write_text(DECLARATION)
    monkeypatch.chdir(folder)
    monkeypatch.delitem(sys.modules, "brownout_service", raising=False)
    return folder


def read(report: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((report / "brownout.json").read_text(encoding="utf-8"))
    return document


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"brownout {__version__}\n"


@pytest.mark.parametrize(("words", "code"), [([], 2), (["--help"], 0), (["-h"], 0)])
def test_usage(capsys: pytest.CaptureFixture[str], words: list[str], code: int) -> None:
    assert cli.main(words) == code
    assert "gate         run the suites" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("gaet", "Did you mean 'gate'?"),
        (
            "--zzz",
            "Known: init, check, doctor, up, gate, watch, behaviours, explain, report, schema, "
            "load-worker, proxy, wire, completion.",
        ),
    ],
)
def test_unknown_command(capsys: pytest.CaptureFixture[str], word: str, hint: str) -> None:
    assert cli.main([word]) == 2
    assert capsys.readouterr().err == f"brownout: there is no command {word!r}. {hint}\n"


def test_schema_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "brownout.toml"
    assert cli.main(["schema", "report"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "brownout.json"
    with pytest.raises(SystemExit, match="2"):
        cli.main(["schema", "x"])


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
        pytest.param(["--no-such-option"], "pytest ended with code 4", id="pytest-option"),
        pytest.param(["--brownout-bakend=x"], "mean '--brownout-backend'?", id="our-option"),
        pytest.param(["--backnd=x"], "Did you mean '--backend'?", id="short-option"),
        pytest.param(["--shards=1/2"], "Did you mean '--shard'?", id="one-letter-more"),
        pytest.param(["--replica=2"], "Did you mean '--replicas'?", id="one-letter-less"),
        pytest.param(["--sweep-sed=2"], "Did you mean '--sweep-seed'?", id="of-two-words"),
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
    last = capfd.readouterr().out.splitlines()[-1]
    assert last == f"brownout gate: exit code 2, {document['meaning']}"
    assert document["meaning"] == document["error"].splitlines()[0].rstrip(".")
    assert document["meaning"] in unescape((report / "index.html").read_text(encoding="utf-8"))


def test_gate_without_anything_selected(capfd: pytest.CaptureFixture[str], report: Path) -> None:
    assert cli.main(["gate", f"--report={report}", "-k", "nothing_of_the_kind"]) == 2
    assert read(report)["behaviours"] == []
    last = capfd.readouterr().out.splitlines()[-1]
    assert last == "brownout gate: exit code 2, no promise was assessed"


def test_options_of_others_with_a_word_of_ours_are_pytests() -> None:
    refuse_misspelt(
        ["--cov-report=xml", "--report-log=run.json", "--md-report", "--shard-id=1", "-q", "--pdb"]
    )


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_home_in_the_report_s_place_is_the_user_s(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    words = ["--junitxml=~/junit/gate.xml", "--backend=dokcer"]
    if by == "option":
        words.append("--report=~/reports")
    else:
        monkeypatch.setenv(REPORT.variable, "~/reports")
    assert report_folder(parser().parse_args(words)) == REPORT.read("~/reports", Path.cwd())
    assert cli.main(["gate", *words]) == 2
    assert read(tmp_path / "reports")["exit_code"] == 2
    assert (tmp_path / "junit" / "gate.xml").is_file()
    assert not Path("~").exists()


def test_gate_that_cannot_write_its_report(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert cli.main(["gate", "--report", str(tmp_path / "file" / "out")]) == 2
    assert capsys.readouterr().err.startswith("brownout gate: The report cannot be written into ")


def test_gate_leaves_the_report_that_another_gate_is_writing(
    capsys: pytest.CaptureFixture[str], report: Path
) -> None:
    with held(report):
        assert cli.main(["gate", f"--report={report}"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("brownout gate: Another brownout gate or brownout watch is writing ")
    assert "name another folder with --report." in said.err
    assert said.out == ""
    assert read(report) == {"exit_code": 0}
    assert [path.name for path in report.iterdir()] == ["brownout.json"]


@pytest.mark.parametrize("where", ["the gate", "pytest"])
def test_gate_ends_by_a_signal_with_a_report(report: Path, declared: Path, where: str) -> None:
    waits = "import os, time\nif ('PYTEST_VERSION' in os.environ) == WAITS:\n"
    waits += "    print('waiting', flush=True)\n    time.sleep(60)\n"
    module = declared / "brownout_service.py"
    module.write_text(waits.replace("WAITS", str(where == "pytest")) + DECLARATION)
    outside = {name: value for name, value in os.environ.items() if name != "PYTEST_VERSION"}
    with subprocess.Popen(
        [*COMMAND, "gate", f"--report={report}", "--replicas=1", "-s"],
        env=outside,
        stdout=subprocess.PIPE,
        text=True,
    ) as gate:
        assert gate.stdout is not None
        assert any("waiting" in line for line in gate.stdout)
        gate.send_signal(signal.SIGTERM)
        rest = gate.stdout.read()
    assert gate.returncode == 2
    assert rest.splitlines()[-1] == f"brownout gate: exit code 2, {read(report)['meaning']}"
    assert "interrupted" in read(report)["meaning"]
    assert read(report)["exit_code"] == 2
    with held(report):
        pass  # it is free again


def test_gate_whose_junit_file_cannot_be_written_starts_nothing(
    capsys: pytest.CaptureFixture[str], report: Path
) -> None:
    (report / "file").touch()
    assert cli.main(["gate", f"--report={report}", f"--junitxml={report}/file/junit.xml"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"brownout gate: The report cannot be written into {report}/file: ")
    assert said.out == ""


@pytest.mark.parametrize(
    "words",
    [["gate"], ["watch", "--remote-service=http://127.0.0.1:1", "--for=1"]],
    ids=lambda w: w[0],
)
def test_an_error_of_brownouts_own_is_no_verdict(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    report: Path,
    words: list[str],
) -> None:
    def defective(*_: object) -> None:
        raise ValueError("one for the road\nand its second line")

    monkeypatch.setattr(f"brownout.cli.{words[0]}.find", defective)
    assert cli.main([*words, f"--report={report}"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("Traceback (most recent call last):")
    cause = "Brownout itself failed, with ValueError: one for the road"
    assert f"brownout {words[0]}: {cause}\n" in said.err
    assert "Please report it" in said.err
    document = read(report)
    assert (document["exit_code"], document["meaning"]) == (2, cause)
    assert "What to do: This is an error of Brownout" in document["error"]
    assert f"exit code 2, {cause}" in said.out


def test_an_error_of_brownouts_own_ends_every_command_with_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def defective(*_: object) -> None:
        raise ValueError("postgresql://me:hunter2@shop/orders")

    monkeypatch.setattr("brownout.cli.check.find", defective)
    assert cli.main(["check"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Traceback (most recent call last):")
    assert "brownout check: Brownout itself failed, with ValueError: postgresql://me:…@" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("text", ["tool = 1", "[tool.other]"])
def test_a_pyproject_without_a_declaration_is_none(
    capsys: pytest.CaptureFixture[str], declared: Path, text: str
) -> None:
    (declared / "pyproject.toml").write_text(text)
    (declared / "brownout_service.py").unlink()
    assert cli.main(["check"]) == 2
    assert capsys.readouterr().err.startswith("brownout check: No service is declared in ")


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    """As with `| head`."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "import sys, brownout.cli; sys.exit(brownout.cli.main())"]
    ended = subprocess.run(
        [*command, "behaviours"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (2, "")
