"""Sound services that are built in an unusual way are not accused, and their broken twins are."""

from pathlib import Path

import pytest

from tests.frame.gates import Gate

ERROR_FORMAT = "E1,E2,E4/mistakes,E5/outage,T6/outage"


def judged(folder: Path, service: str, only: str) -> tuple[int, dict[str, str], str]:
    """The exit code, the verdicts and the output of a gate."""
    words = ["--replicas=2", f"--service=tests.trial.unusual:{service}", f"--only={only}"]
    with Gate(folder, *words) as gate:
        code, said = gate.end()
        verdicts = {one["id"]: one["verdict"] for one in gate.document()["behaviours"]}
    return code, verdicts, said


@pytest.mark.timeout(300)
def test_a_pool_that_opens_anew_a_busy_cpu_and_a_growing_list_are_not_leaks(
    tmp_path: Path,
) -> None:
    code, verdicts, said = judged(tmp_path, "hard_working", "P1,P3,P9,X3,V1,V3")
    assert set(verdicts) == {"P1", "P3", "P9", "X3", "V1", "V3"}
    # What it opens anew may be too late without any defect, and then nothing can be compared.
    assert verdicts.pop("P3") in {"kept", "not assessed"}, said
    assert verdicts.pop("X3") in {"kept", "not assessed"}, said
    assert set(verdicts.values()) == {"kept"}, said
    assert code == 0


@pytest.mark.timeout(180)
def test_below_a_path_and_behind_a_login_it_is_judged_like_any_other(tmp_path: Path) -> None:
    code, verdicts, said = judged(tmp_path, "below_a_path", ERROR_FORMAT)
    assert set(verdicts.values()) == {"kept"}, said
    assert code == 0


@pytest.mark.timeout(180)
def test_its_defects_are_seen_there_and_named_by_the_mistake(tmp_path: Path) -> None:
    code, verdicts, said = judged(tmp_path, "below_a_path_and_broken", ERROR_FORMAT)
    assert {name for name, verdict in verdicts.items() if verdict == "broken"} == {"E4"}, said
    assert "unknown path: status 404" in said
    assert "wrong method PUT: status 405" in said
    assert "answer: text/plain; charset=utf-8, body: Not Found" in said
    assert code == 1


@pytest.mark.timeout(180)
def test_errors_in_plain_text_are_judged_by_the_declared_check(tmp_path: Path) -> None:
    code, verdicts, said = judged(tmp_path, "plain", "E1/outage,E4/outage,E4/mistakes,E5/outage")
    assert set(verdicts.values()) == {"kept"}, said
    assert code == 0


@pytest.mark.timeout(180)
def test_an_error_that_the_check_finds_wrong_is_broken(tmp_path: Path) -> None:
    code, verdicts, said = judged(tmp_path, "plain_without_codes", "E1/outage,E4/outage,E5/outage")
    assert verdicts == {"E1": "kept", "E4": "broken", "E5": "kept"}, said
    assert "an error that the declared check begins_with_its_code finds right" in said
    assert code == 1
