"""A run with a baseline: what was broken may be broken, and nothing else."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import Judge
from tests.plugin.test_gate_alone import Gate, folder, gate
from tests.plugin.test_handover import DECLARATION, FIXTURE
from tests.plugin.test_waivers import CONFTEST

__all__ = ["folder", "gate"]

pytest_plugins = ["pytester"]

FOUND = """
BROKEN = {broken!r}

@pytest.mark.parametrize("promise", [pytest.param(one, marks=pytest.mark.behaviour(one)) for one in
                                     ("T1", "T2", "T3")])
def test_it(promise, service_under_test):
    if promise in BROKEN:
        raise violation()
"""


@pytest.fixture
def declared(project: pytest.Pytester) -> pytest.Pytester:
    """A project whose service has a waiver that has ended."""
    waived = DECLARATION.replace("command=", 'waivers={"T3": "old, until 2020-01"}, command=')
    project.makeconftest(waived + CONFTEST)
    return project


def document(declared: pytest.Pytester) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((declared.path / "out" / "brownout.json").read_text())
    return found


def judged(judge: Judge, *broken: str, baseline: str = "") -> pytest.RunResult:
    """A run in which these of T1, T2 and T3 are broken."""
    words = [f"--brownout-baseline={baseline}"] if baseline else []
    return judge(FOUND.format(broken=broken), "--brownout-report=out", *words)


@pytest.mark.parametrize(
    ("before", "now", "code", "compared"),
    [
        pytest.param(["T1"], ["T1"], 0, (["T1"], [], []), id="as-before"),
        pytest.param(["T1"], ["T1", "T2"], 1, (["T1"], ["T2"], []), id="newly-broken"),
        pytest.param(["T1"], ["T2"], 1, ([], ["T2"], ["T1"]), id="another-broken"),
        pytest.param(["T1", "T2"], ["T2"], 0, (["T2"], [], ["T1"]), id="mended"),
        pytest.param([], ["T1"], 1, ([], ["T1"], []), id="nothing-was-broken"),
        pytest.param(["T3"], ["T3"], 1, (["T3"], [], []), id="a-waiver-that-ended-counts"),
    ],
)
def test_a_run_is_judged_beside_its_baseline(
    judge: Judge,
    declared: pytest.Pytester,
    before: list[str],
    now: list[str],
    code: int,
    compared: tuple[list[str], list[str], list[str]],
) -> None:
    assert judged(judge, *before).ret == (1 if before else 0)
    assert document(declared)["baseline"] is None
    shutil.copy(declared.path / "out" / "brownout.json", declared.path / "base.json")
    result = judged(judge, *now, baseline="base.json")
    assert result.ret == code
    seen = document(declared)["baseline"]
    assert (seen["accepted"], seen["new"], seen["mended"]) == compared
    said = result.stdout.str()
    accepted = [one for one in compared[0] if one != "T3"]
    assert ("accepted by the baseline" in said) == bool(accepted)
    assert ("Renew the baseline" in said) == bool(compared[2])
    for word, ids in (("newly broken", compared[1]), ("mended", compared[2])):
        assert (f"{word}: {', '.join(ids)}" in said) if ids else (f"{word}:" not in said)


SHOULD_AND_MUST = """
@pytest.mark.behaviour("E6")
def test_there(service_under_test): raise violation()

@pytest.mark.behaviour("E6", level="must")
def test_valid(service_under_test):
    if {must}:
        raise violation()
"""


@pytest.mark.parametrize("strict", [False, True])
def test_a_should_in_the_baseline_accepts_no_must(
    judge: Judge, declared: pytest.Pytester, strict: bool
) -> None:
    words = ["--brownout-report=out", *(["--brownout-strict"] if strict else [])]
    assert judge(SHOULD_AND_MUST.format(must=False), "--brownout-report=out").ret == 0
    for _ in range(2):
        shutil.copy(declared.path / "out" / "brownout.json", declared.path / "base.json")
        beside = [*words, "--brownout-baseline=base.json"]
        assert judge(SHOULD_AND_MUST.format(must=True), *beside).ret == 1
        assert document(declared)["baseline"]["new"] == ["E6"]
        assert judge(SHOULD_AND_MUST.format(must=False), *beside).ret == 0
        assert document(declared)["baseline"]["accepted"] == ["E6"]


def test_a_baseline_is_renewed_by_a_run_with_one(judge: Judge, declared: pytest.Pytester) -> None:
    judged(judge, "T1")
    for _ in range(2):
        shutil.copy(declared.path / "out" / "brownout.json", declared.path / "base.json")
        assert judged(judge, "T1", baseline="base.json").ret == 0


@pytest.mark.parametrize(
    ("member", "value", "cause"),
    [
        ("versions", {"brownout": "0.0.1"}, "made by Brownout 0.0.1"),
        ("session", {"service": {"operations": ["of-another"]}}, "is of another service"),
    ],
)
def test_another_baseline_is_refused_once(
    judge: Judge, declared: pytest.Pytester, member: str, value: object, cause: str
) -> None:
    judged(judge, "T1")
    changed = {**document(declared), member: value}
    (declared.path / "base.json").write_text(json.dumps(changed))
    result = judged(judge, "T1", baseline="base.json")
    assert result.ret == 2
    said = " ".join(result.stdout.str().split())
    assert said.count(f"The baseline {declared.path / 'base.json'} ") == 1
    assert cause in said


def test_a_run_does_not_replace_its_own_baseline(judge: Judge, declared: pytest.Pytester) -> None:
    judged(judge, "T1")
    before = document(declared)
    result = judged(judge, "T1", baseline="out/brownout.json")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["The baseline *brownout.json is the file that this run writes *"])
    assert document(declared) == before


def test_a_gate_takes_one_and_refuses_another_before_anything_starts(
    folder: Path, gate: Gate
) -> None:
    (folder / "conftest.py").write_text(FIXTURE)
    assert gate().returncode == 0
    written = folder / "brownout-report" / "brownout.json"
    kept = folder / "base.json"
    shutil.copy(written, kept)
    assert gate("--baseline=base.json").returncode == 0
    assert json.loads(written.read_text())["baseline"]["path"] == str(kept)

    refused = gate("--baseline=brownout-report/brownout.json")
    assert refused.returncode == 2
    assert "is the file that this run writes its own facts to." in refused.stderr
    assert written.exists()

    kept.write_text(kept.read_text().replace('"operations": []', '"operations": ["another"]'))
    refused = gate("--baseline=base.json")
    assert refused.returncode == 2
    assert "is of another service" in refused.stderr
    assert "judging" not in refused.stdout
