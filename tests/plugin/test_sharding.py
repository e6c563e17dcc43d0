"""`--brownout-shard`: every job runs its own part of the tests, and all of them together run each
once."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from brownout import cli
from brownout.trial.sweep.cases import SHARES
from tests.plugin.conftest import PREAMBLE, QUIETLY, Judge

pytest_plugins = ["pytester"]

TRIALS = """
from brownout.faults import Outage
from brownout.trial import Trial
from brownout.trial.plan import SWEEP

ONES = [Trial(f"one_{number}", Outage()) for number in range(7)]

@pytest.fixture
def brownout_recording(request, record_property):
    trial = request.param
    print(f"<{trial.script!r}>" if trial.script else "")
    record_property("brownout", {"trial": trial.id, "seconds": 1.5})

@pytest.mark.behaviour('E5')
@pytest.mark.trials(*ONES)
def test_honest(brownout_recording): pass

@pytest.mark.behaviour('H1')
@pytest.mark.trials(*ONES[2:], *SWEEP)
def test_alive(brownout_recording): pass

@pytest.mark.trials(ONES[0])
def test_control(brownout_recording): pass

@pytest.mark.behaviour('T1')
def test_without_a_trial(): pass

def test_ordinary(): pass
"""
TESTS = {
    *(f"test_honest[one_{number}]" for number in range(7)),
    *(f"test_alive[one_{number}]" for number in range(2, 7)),
    *("test_control[one_0]", "test_without_a_trial"),
}


WITHIN = 160.0  # seconds, as in tests/frame/gates.py


def ran(result: pytest.RunResult) -> list[str]:
    return [line.split("::")[1].split(" ")[0] for line in result.outlines if " PASSED" in line]


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "brownout.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("shards", [1, 3])
def test_each_test_runs_in_one_shard_and_those_of_a_trial_together(
    judge: Judge, shards: int
) -> None:
    own = [
        ran(judge(TRIALS, "-v", f"--brownout-shard={number}/{shards}"))
        for number in range(1, shards + 1)
    ]
    counted = Counter(test for each in own for test in each)
    assert counted.pop("test_ordinary") == shards, "what judges nothing is not divided"
    assert counted == dict.fromkeys(TESTS, 1)
    for trial in range(7):
        makers = [each for each in own if any(f"[one_{trial}]" in test for test in each)]
        assert len(makers) == 1
    assert all(len(each) > 1 for each in own)


def test_each_shard_has_its_cases_of_the_sweep(judge: Judge) -> None:
    for number in (1, 2):
        words = [f"--brownout-shard={number}/2", "--brownout-only=sweep", "-v", "-s"]
        text = judge(TRIALS, *words).stdout.str()
        assert all(f"test_alive[sweep_{share + 1}]" in text for share in range(SHARES))
        assert text.count(f"shard=Shard(number={number}, of=2)") == SHARES


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_shard_says_which_tests_every_shard_has(
    judge: Judge, tmp_path: Path, workers: list[str]
) -> None:
    divisions = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        words = [f"--brownout-shard={number}/2", f"--brownout-report={folder}", *workers]
        assert judge(TRIALS, *words).ret == 0
        shard = document(folder)["shard"]
        assert (shard["number"], shard["of"]) == (number, 2)
        divisions.append(shard["tests"])
    assert divisions[0] == divisions[1]
    together = {**divisions[0][0], **divisions[0][1]}
    assert {nodeid.split("::")[1] for nodeid in together} == TESTS
    assert together["test_it.py::test_honest[one_0]"] == ["E5"]
    assert together["test_it.py::test_control[one_0]"] == []
    judge(TRIALS, f"--brownout-report={tmp_path / 'whole'}")
    assert document(tmp_path / "whole")["shard"] is None


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_shard_without_a_test_writes_its_report(
    judge: Judge, tmp_path: Path, workers: list[str]
) -> None:
    words = ["--brownout-only=T1", "--brownout-shard=2/2", f"--brownout-report={tmp_path}"]
    result = judge(TRIALS, *words, *workers)
    assert result.ret == 2
    found = document(tmp_path)
    assert (found["tests"], found["error"]) == ([], None)
    assert found["shard"] == {
        "number": 2,
        "of": 2,
        "tests": [{"test_it.py::test_without_a_trial": ["T1"]}, {}],
    }


JUDGED = """
@pytest.mark.behaviour('T2')
def test_broken(): raise violation()

@pytest.mark.behaviour('P1')
@pytest.mark.trials(ONES[6])
def test_unknown(brownout_recording): raise FaultNotFelt('It hit nothing.', tried=['once'])
"""


def test_ten_processes_merged_judge_as_one(project: pytest.Pytester) -> None:
    project.makepyfile(test_it=PREAMBLE + TRIALS + JUDGED)

    def run(*words: str) -> int:
        command = [sys.executable, "-m", "pytest", *QUIETLY, "-q", *words]
        done = subprocess.run(
            command, cwd=project.path, capture_output=True, check=False, timeout=WITHIN
        )
        return done.returncode

    def shard(number: int) -> int:
        return run(f"--brownout-shard={number}/10", f"--brownout-report=shards/{number}")

    with ThreadPoolExecutor(3) as beside:
        codes = set(beside.map(shard, range(1, 11)))
    assert codes == {0, 1, 2}
    shards = [str(project.path / "shards" / str(number)) for number in range(1, 11)]
    merged = project.path / "merged"
    code = cli.main(["report", "merge", "--to", str(merged), *shards])
    assert code == run("--brownout-report=whole") == 1
    one, other = document(merged), document(project.path / "whole")
    for member in ("behaviours", "exit_code", "meaning", "error"):
        assert sorted_tests(one[member]) == sorted_tests(other[member]), member
    assert by_test(one) == by_test(other)


def by_test(of: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {test["test"]: test["verdicts"] for test in of["tests"]}


def sorted_tests(value: Any) -> Any:
    """The promises of a document, with their tests in one order."""
    if not isinstance(value, list):
        return value
    return [{**one, "tests": sorted(one["tests"])} for one in value]


def test_recorded_times_balance_the_shards(judge: Judge, tmp_path: Path) -> None:
    """One long trial weighs as much as the six others together."""
    folder = tmp_path / "earlier"
    judge(TRIALS, f"--brownout-report={folder}")
    earlier = document(folder)
    for test in earlier["tests"]:
        if test["facts"].get("trial") == "one_3":
            test["facts"]["seconds"] = 9.0
    (tmp_path / "times.json").write_text(json.dumps(earlier), encoding="utf-8")
    words = ["--brownout-only=E5", f"--brownout-shard-durations={tmp_path / 'times.json'}", "-v"]
    own = [ran(judge(TRIALS, *words, f"--brownout-shard={number}/2")) for number in (1, 2)]
    assert own[0] == ["test_honest[one_3]"]
    assert len(own[1]) == 6


@pytest.mark.parametrize(
    "wrong", ["0/3", "4/3", "3", "a/b", "1/0", "1/1001", "-1/3", "1/2/3", "²/3", f"1/{'9' * 5000}"]
)
def test_a_shard_that_there_cannot_be_is_refused(judge: Judge, wrong: str) -> None:
    result = judge(TRIALS, f"--brownout-shard={wrong}")
    assert result.ret == 2
    assert "a shard and how many there are is needed" in result.stdout.str()
    assert "passed" not in result.stdout.str()


def test_times_that_cannot_be_used_are_refused(judge: Judge, tmp_path: Path) -> None:
    times = tmp_path / "times.json"
    judge(TRIALS, "--brownout-only=T1", f"--brownout-report={tmp_path}")
    (tmp_path / "brownout.json").rename(times)
    given = f"--brownout-shard-durations={times}"
    for words, cause in [
        ([given], "balances shards, but no shard is named"),
        ([given, "--brownout-shard=1/2"], "has the time of none of the trials"),
        (["--brownout-shard=1/2", "--brownout-shard-durations=nowhere"], "there is no file"),
    ]:
        result = judge(TRIALS, *words)
        assert result.ret == 2
        assert result.stdout.str().count(cause) == 1
    times.write_text("{}", encoding="utf-8")
    result = judge(TRIALS, given, "--brownout-shard=1/2")
    assert result.ret == 2
    assert "is not a run's document" in result.stdout.str()
