"""`brownout report merge` makes of the shards of one run what the whole run would have been."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from brownout import cli
from brownout.report.document import failed_document
from brownout.report.facts import Verdict
from brownout.report.folder import read, write
from brownout.report.verdicts import Case
from tests.plugin.test_document import mistakes
from tests.report.runs import case, recorded, run_of

BROKEN, KEPT = Verdict.BROKEN, Verdict.KEPT
SWEPT: Mapping[str, object] = {
    "share": 0,
    "seed": 1,
    "cases": 5,
    "met": 4,
    "not_met": ["place/COMMIT/cut-after"],
    "left_out": 0,
    "restarts": 0,
    "unswept": {},
    "varying": [],
    "folded": {},
}
CASES: Sequence[Sequence[Case]] = (
    (case("T1", "outage"), case("H1", "outage"), case("C1", "sweep_1", facts={"sweep": SWEPT})),
    (case("T1", "reset", BROKEN), case("C1", "sweep_1", facts={"sweep": SWEPT})),
    (case("T2", "cut"), case("C1", "sweep_1", facts={"sweep": SWEPT})),
)
DIVISION = [{one.nodeid: list(one.behaviours) for one in cases} for cases in CASES]
SETTINGS = {"only": {"value": None, "origin": "default"}}

Shard = Callable[..., Path]


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    """Writes the report of one of the shards into a folder of this name."""

    def make(number: int, name: str = "", **change: Any) -> Path:
        folder = tmp_path / (name or f"job{number}")
        (folder / "recordings").mkdir(parents=True)
        cases = change.pop("cases", CASES[number - 1])
        document, _ = run_of(cases)
        facts = {"number": number, "of": len(CASES), "tests": DIVISION}
        write(folder, {**document, "settings": SETTINGS, "shard": facts, **change})
        for one in cases:
            path = folder / "recordings" / f"{one.facts['trial']}.json"
            path.write_text(json.dumps(recorded(f"shard {number}")), encoding="utf-8")
        return folder

    return make


def merge(target: Path, *reports: Path) -> int:
    return cli.main(["report", "merge", "--to", str(target), *map(str, reports)])


def verdicts(document: Mapping[str, Any]) -> dict[str, str]:
    return {one["id"]: one["verdict"] for one in document["behaviours"]}


def test_shards_become_what_one_run_would_have_been(
    shard: Shard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "all"
    assert merge(target, shard(2), shard(3), shard(1)) == 1
    document = read(target)
    assert mistakes(document) == []
    assert verdicts(document) == {"H1": "kept", "T1": "broken", "T2": "kept", "C1": "kept"}
    assert (document["error"], document["shard"]) == (None, None)
    plain = {one.nodeid for cases in CASES for one in cases if one.facts["trial"] != "sweep_1"}
    named = {test["test"] for test in document["tests"]}
    assert plain < named
    swept = "suites/test_it.py::test_c1[sweep_1]"
    assert named - plain == {f"shard-{number}: {swept}" for number in (1, 2, 3)}
    assert {path.name for path in (target / "recordings").iterdir()} == {
        *("outage.json", "reset.json", "cut.json"),
        *(f"shard-{number}-sweep_1.json" for number in (1, 2, 3)),
    }
    assert "sweep: 12 of 15 cases were judged (80%)" in capsys.readouterr().out


def test_a_shard_that_is_missing_is_named_and_what_it_has_is_unknown(
    shard: Shard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert merge(tmp_path / "all", shard(1), shard(2)) == 1, "what is broken stays so"
    shard(3)
    assert merge(tmp_path / "some", tmp_path / "job3", tmp_path / "job1") == 2
    said = capsys.readouterr().out
    assert "Shard 2 of 3 is missing.\nShard 2 has reset, sweep_1.\n" in said
    assert "exit code 2, Shard 2 of 3 is missing\n" in said
    document = read(tmp_path / "some")
    assert mistakes(document) == []
    assert verdicts(document) == {"H1": "kept", "T1": "unknown", "T2": "kept", "C1": "unknown"}
    assert {reason for one in document["behaviours"] for reason in one["reasons"]} == {
        "shard 2 of 3 is missing"
    }


def test_one_shard_alone_misses_the_others(shard: Shard, tmp_path: Path) -> None:
    assert merge(tmp_path / "all", shard(1)) == 2
    error = read(tmp_path / "all")["error"]
    assert error.startswith("Shards 2 and 3 of 3 are missing.\n")


def test_what_a_shard_did_not_get_to_is_unknown(shard: Shard, tmp_path: Path) -> None:
    cut_short = shard(1, cases=CASES[0][:1], error="interrupted, 2 of 3 checks were not run")
    whole = [shard(2, cases=CASES[1][1:]), shard(3)]
    assert merge(tmp_path / "all", cut_short, *whole) == 2
    document = read(tmp_path / "all")
    assert document["error"] == "job1: interrupted, 2 of 3 checks were not run"
    assert verdicts(document) == {"H1": "unknown", "T1": "unknown", "T2": "kept", "C1": "unknown"}
    assert "shard 1 of 3 ended before it judged this" in str(document["behaviours"])


def test_a_shard_that_was_killed_before_it_knew_its_tests(shard: Shard, tmp_path: Path) -> None:
    facts = {"number": 3, "of": 3, "tests": None}
    killed = shard(3, cases=(), error="The run has not ended.", shard=facts, session={})
    assert merge(tmp_path / "all", shard(1), killed) == 2
    document = read(tmp_path / "all")
    assert document["error"].splitlines()[0] == "Shard 2 of 3 is missing."
    assert "job3: The run has not ended." in document["error"]
    assert verdicts(document)["T2"] == "unknown"


@pytest.mark.parametrize("written", [True, False])
def test_a_job_that_failed_before_it_had_a_shard(
    shard: Shard, tmp_path: Path, *, written: bool
) -> None:
    """Its report has an error and nothing else, or there is none in its folder."""
    failed = tmp_path / "job2"
    failed.mkdir()
    if written:
        write(failed, failed_document(2, "There is no declaration."))
    assert merge(tmp_path / "all", shard(1), failed, shard(3)) == 2
    error = read(tmp_path / "all")["error"]
    assert error.startswith("Shard 2 of 3 is missing.\n")
    assert ("job2: There is no declaration." if written else "job2: It has no brownout") in error


def test_a_baseline_counts_for_the_whole(shard: Shard, tmp_path: Path) -> None:
    """No shard alone sees that H1, broken in two trials, is mended in both."""
    broken = {"H1": ["outage", "reset"], "T2": ["cut", "freeze"]}
    comparison = {"path": "base.json", "accepted": [], "new": [], "mended": [], "wider": {}}
    more = [*CASES[1], case("H1", "reset")]
    division = [DIVISION[0], {one.nodeid: list(one.behaviours) for one in more}, DIVISION[2]]
    reports = [
        shard(
            number,
            cases=cases,
            baseline={**comparison, "broken": broken},
            shard={"number": number, "of": 3, "tests": division},
        )
        for number, cases in enumerate((CASES[0], more, CASES[2]), start=1)
    ]
    assert merge(tmp_path / "all", *reports) == 1
    found = read(tmp_path / "all")["baseline"]
    assert (found["mended"], found["new"]) == (["H1"], ["T1"]), "T2 was not judged in freeze"


def other(**change: Any) -> dict[str, Any]:
    return {"number": 2, "of": 3, "tests": DIVISION} | change


SERVICE = run_of([])[0]["session"]["service"]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"shard": other(number=1)}, "are of the same shard, 1 of 3"),
        ({"shard": other(of=4, tests=[*DIVISION, {}])}, "they are of different numbers of shards"),
        ({"shard": other(tests=DIVISION[::-1])}, "they divide the trials differently"),
        ({"shard": None}, "The report job2 is of a whole run, but job1 is of a shard"),
        ({"settings": {"only": {"value": "H1", "origin": "x"}}}, "--only is different"),
        (
            {"session": {"service": {**SERVICE, "workers": 9}}},
            "their declarations are different",
        ),
        (
            {"baseline": {"path": "b", "accepted": [], "new": [], "mended": [], "wider": {},
                          "broken": {"T1": []}}},
            "their baselines are different",
        ),
        ({"versions": {"brownout": "0.0.1", "python": "3", "system": "x"}}, "different versions"),
        ({"shard": other(number=9)}, "says that it is of shard 9 of 3, and has the tests of 3"),
        ({"shard": other(tests=[{}])}, "says that it is of shard 2 of 3, and has the tests of 1"),
    ],
)  # fmt: skip
def test_shards_of_different_runs_are_refused(
    shard: Shard,
    tmp_path: Path,
    change: dict[str, Any],
    cause: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert merge(tmp_path / "all", shard(1), shard(2, **change), shard(3)) == 2
    said = capsys.readouterr().err
    assert cause in said
    assert "What to do: " in said
    assert not (tmp_path / "all").exists()


def test_the_place_of_a_declaration_may_differ(shard: Shard, tmp_path: Path) -> None:
    """Jobs check the project out where they like."""
    moved = {"service": {**SERVICE, "place": {"file": "/x", "line": 1, "operations": {}}}}
    assert merge(tmp_path / "all", shard(1), shard(2, session=moved), shard(3)) == 1


@pytest.mark.parametrize("words", [["merge"], ["merge", "--to", "x"], ["merge", "job"]])
def test_a_merge_names_reports_and_a_folder(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", *words]) == 2
    assert "What to do: Write brownout report" in capsys.readouterr().err
