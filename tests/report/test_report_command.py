"""`brownout report` makes a report again, merges several, and compares two."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from brownout import cli
from brownout.report.facts import Verdict
from brownout.report.folder import read, write, write_readable
from brownout.report.restoring import cases_of, others_of
from brownout.report.verdicts import Case, verdicts_by_behaviour
from tests.plugin.test_document import mistakes
from tests.report.runs import Run, case, hostile_run, mixed_run, recorded, run_of

BROKEN, KEPT, UNKNOWN = Verdict.BROKEN, Verdict.KEPT, Verdict.UNKNOWN

Report = Callable[..., Path]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Writes the report of a run of these cases into a folder of this name."""

    def make(name: str, *cases: Case, change: dict[str, Any] | None = None) -> Path:
        folder = tmp_path / name
        (folder / "recordings").mkdir(parents=True)
        document, _ = run_of(cases)
        document.update(change or {})
        write(folder, document)
        for trial in {str(one.facts["trial"]) for one in cases}:
            said = f"{name} saw {trial}"
            path = folder / "recordings" / f"{trial}.json"
            path.write_text(json.dumps(recorded(said)), encoding="utf-8")
        return folder

    return make


def page_of(folder: Path) -> str:
    return (folder / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("run", [mixed_run(), hostile_run()], ids=["mixed", "hostile"])
def test_a_document_says_what_it_was_made_of(run: Run) -> None:
    document, _ = run
    cases = cases_of(document)
    again, _ = run_of(cases)
    for member in ("tests", "behaviours", "findings", "exit_code", "meaning"):
        assert again[member] == document[member], member
    assert others_of(document) == {}
    assert len(verdicts_by_behaviour(cases)) == len(document["behaviours"])


def test_a_report_is_made_again(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    folder = report("job", case("T1", "outage", BROKEN))
    write_readable(folder, read(folder))
    before = page_of(folder), (folder / "summary.md").read_text(encoding="utf-8")
    for name in ("index.html", "summary.md"):
        (folder / name).unlink()
    assert cli.main(["report", str(folder)]) == 0
    assert (page_of(folder), (folder / "summary.md").read_text(encoding="utf-8")) == before
    assert capsys.readouterr().out == f"report: {folder / 'index.html'}\n"


def test_reports_of_several_jobs_become_one(report: Report, tmp_path: Path) -> None:
    jobs = [
        report("first", case("T1", "outage"), case("H1", "outage")),
        report(
            "second",
            case("T1", "outage", BROKEN),
            case("E3", "reset", BROKEN, said="another title", tolerated=True),
        ),
    ]
    target = tmp_path / "all"
    assert cli.main(["report", "merge", "--to", str(target), *map(str, jobs)]) == 1
    document = read(target)
    assert mistakes(document) == []
    assert {one["id"]: one["verdict"] for one in document["behaviours"]} == {
        "E3": "broken",
        "H1": "kept",
        "T1": "broken",
    }
    assert document["meaning"] == "broken: T1"
    assert [finding["tests"] for finding in document["findings"]] == [
        ["second-outage"],
        ["second-reset"],
    ]
    assert [finding["tolerated"] for finding in document["findings"]] == [False, True]
    assert {path.name for path in (target / "recordings").iterdir()} == {
        "first-outage.json",
        "second-outage.json",
        "second-reset.json",
    }
    text = page_of(target)
    for said in ("first saw outage", "second saw outage", "second saw reset"):
        assert said in text


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [((KEPT, KEPT), 0), ((KEPT, UNKNOWN), 2), ((BROKEN, UNKNOWN), 1)],
)
def test_the_gravest_decides(
    report: Report, tmp_path: Path, verdicts: tuple[Verdict, Verdict], code: int
) -> None:
    jobs = [
        report(f"job{number}", case("T1", "outage", verdict))
        for number, verdict in enumerate(verdicts)
    ]
    assert cli.main(["report", "merge", "--to", str(tmp_path / "all"), *map(str, jobs)]) == code


def test_a_job_that_did_not_end_keeps_the_whole_from_passing(
    report: Report, tmp_path: Path
) -> None:
    jobs = [
        report("first", case("T1", "outage")),
        report("second", case("T2", "outage"), change={"error": "It was interrupted."}),
    ]
    assert cli.main(["report", "merge", "--to", str(tmp_path / "all"), *map(str, jobs)]) == 2
    assert read(tmp_path / "all")["error"] == "second: It was interrupted."


def test_what_changed_is_told_and_what_broke_comes_first(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    old = report(
        "old",
        case("T1", "outage"),
        case("T2", "outage", UNKNOWN),
        case("H1", "outage", BROKEN),
        case("P1", "outage"),
        case("E3", "outage"),
    )
    new = report(
        "new",
        case("T1", "outage", BROKEN),
        case("T2", "outage", BROKEN),
        case("H1", "outage"),
        case("P1", "outage"),
        case("E3", "outage", BROKEN, tolerated=True),
    )
    assert cli.main(["report", "--compare", str(old), str(new / "brownout.json")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if " -> " in line and not line.startswith(" ")] == [
        "kept -> broken",
        "unknown -> broken",
        "kept -> tolerated",
        "broken -> kept",
    ]
    assert lines[1] == "  T1   requests end within D (0 of 9 failed -> 2 of 9 failed)"
    assert lines[-1] == "brownout report: kept before and broken now: T1"
    assert not any("P1" in line for line in lines)


def test_what_the_new_run_left_out_is_told_in_short(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    old = report("old", *(case(one, "outage") for one in ("T1", "T2", "T3")))
    new = report("new", case("T1", "outage"))
    assert cli.main(["report", "--compare", str(old), str(new)]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["kept -> not run", "  T2 T3"]


@pytest.mark.parametrize("after", [KEPT, UNKNOWN])
def test_without_a_regression_the_comparison_passes(report: Report, after: Verdict) -> None:
    old, new = report("old", case("T1", "outage")), report("new", case("T1", "outage", after))
    assert cli.main(["report", "--compare", str(old), str(new)]) == 0


def test_the_same_run_is_said_to_be_so(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    same = str(report("same", case("T1", "outage", BROKEN)))
    assert cli.main(["report", "--compare", same, same]) == 0
    assert "Every promise has the same verdict in both." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ([], "No report is named."),
        (["nowhere"], "nowhere is not a folder."),
        (["{a}", "{b}"], "Several reports, and --to, need the word merge."),
        (["--to", "{c}", "{a}"], "Several reports, and --to, need the word merge."),
        (["merge", "{a}", "{b}"], "2 reports are named, but no folder for the merged one."),
        (["merge", "--to", "{a}", "{a}", "{b}"], "is one of the reports to merge."),
        (["merge", "--to", "{c}", "{a}", "{a}"], "A report is named twice"),
        (
            ["merge", "--to", "{c}", "{a}", "{old}"],
            "are of different versions of Brownout: a of 0.1.0, old",
        ),
        (["merge", "--to", "{c}", "{a}", "{other}"], "a and other are of different services"),
        (
            ["merge", "--to", "{c}", "{a}", "{wrong}"],
            "is not a run's document, or one of another version",
        ),
        (["--compare", "{a}", "nowhere"], "nowhere cannot be read: No such file or directory."),
        (
            ["--compare", "{a}", "{b}", "{b}"],
            "Beside --compare, which takes two reports, nothing else",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(
    report: Report, tmp_path: Path, words: list[str], cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    service = {"service": {**run_of([])[0]["session"]["service"], "operations": ["else"]}}
    versions = {"brownout": "0.0.1", "python": "3", "system": "x"}
    made = {
        "a": report("a", case("T1", "outage")),
        "b": report("b", case("T1", "outage")),
        "c": tmp_path / "c",
        "old": report("old", case("T1", "outage"), change={"versions": versions}),
        "other": report("other", case("T1", "outage"), change={"session": service}),
        "wrong": report("wrong", case("T1", "outage"), change={"format": 1}),
    }
    assert cli.main(["report", *(word.format(**made) for word in words)]) == 2
    said = capsys.readouterr().err
    assert cause in said
    assert "What to do: " in said
    assert not (tmp_path / "c").exists()


def test_a_trial_s_name_leads_to_no_file_elsewhere(report: Report, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text(json.dumps(recorded("from elsewhere")))
    folder = report("job", case("T1", "outage"))
    document = read(folder)
    document["tests"][0]["facts"]["trial"] = "../../secret"
    write(folder, document)
    assert cli.main(["report", str(folder)]) == 0
    assert "from elsewhere" not in page_of(folder)
    other = report("other", case("T1", "outage"))
    target = tmp_path / "all"
    assert cli.main(["report", "merge", "--to", str(target), str(folder), str(other)]) == 0
    assert "from elsewhere" not in page_of(target)
