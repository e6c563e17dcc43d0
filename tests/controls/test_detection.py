"""The measure of what is caught counts each defect once, and the page has all of them."""

import json
import re
from pathlib import Path

import pytest

from tests.controls import detection
from tests.controls.catalogue import CONTROLS
from tests.controls.chain import Judgement
from tests.controls.detection import (
    PAGE,
    Row,
    false_accusations,
    main,
    rows,
    write_judgement,
)
from tests.controls.known import KNOWN

ROW = re.compile(r"^\| (.+) \| `(\w+)` \| (.+) \|$", re.MULTILINE)


def test_every_known_defect_is_shown_by_a_control_that_breaks_a_promise_that_fits() -> None:
    shown = {
        number
        for control in CONTROLS.values()
        for defect in control.defects
        for number in defect.shows
        if KNOWN[number].fits & defect.breaks
    }
    assert shown == set(KNOWN)


def test_the_page_has_each_defect_under_each_of_its_numbers_and_no_other() -> None:
    """A control was added, renamed or removed: run `make detection` again."""
    text = PAGE.read_text(encoding="utf-8")
    listed = []
    for part in text.split("\n### ")[1:]:
        title = part.partition("\n")[0]
        number = int(title.split(".")[0]) if title[0].isdigit() else None
        if number is not None:
            assert title == f"{number}. {KNOWN[number].what}"
        listed += [(number, what, control) for what, control, _ in ROW.findall(part)]
    expected = [
        (number, row.what, row.control) for row in rows({}) for number in row.shows or (None,)
    ]
    assert sorted(map(str, listed)) == sorted(map(str, expected))


def test_a_defect_is_caught_by_a_promise_that_fits_each_of_its_numbers() -> None:
    assert Row((34,), "x", "w", ("E8", "E9"), ("E8", "E9")).caught
    assert not Row((34,), "x", "w", ("E8", "E9"), ("E8",)).caught
    assert not Row((), "x", "w", ("E1",), ()).caught
    assert Row((), "x", "w", ("E1",), ("E1",)).caught


def test_what_no_defect_of_a_control_breaks_is_a_false_accusation() -> None:
    name = "empty_instead"
    assert false_accusations({name: {"E9": "broken", "E1": "kept"}}) == {}
    assert false_accusations({name: {"E9": "broken", "E1": "broken"}}) == {name: ["E1"]}


def test_the_matrix_and_the_page_are_written_from_the_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "detection.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(detection, "PAGE", page)
    monkeypatch.setattr(detection, "ROOT", tmp_path)
    for control in CONTROLS.values():
        broken = control.breaks if control.name != "empty_instead" else frozenset({"E1"})
        seen = Judgement(
            frozenset(broken),
            frozenset(),
            frozenset(),
            frozenset(),
            steady=True,
            exit_code=1,
            output="",
        )
        write_judgement(control, seen, tmp_path)
    assert main([str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "missed: errors swallowed: 200 with [] (empty_instead)" in said
    assert "falsely accused: empty_instead of E1" in said
    assert f"{len(KNOWN) - 1} of {len(KNOWN)} known defects" in said
    assert "| errors swallowed: 200 with [] | `empty_instead` | **missed** (E8 E9) |" in (
        page.read_text(encoding="utf-8")
    )
    matrix = json.loads((tmp_path / "detection.json").read_text(encoding="utf-8"))
    assert matrix["false_accusations"] == {"empty_instead": ["E1"]}
    assert matrix["controls"]["empty_instead"]["E2"] == "kept"


def test_a_run_of_some_controls_leaves_the_page_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "detection.md"
    page.write_text("before", encoding="utf-8")
    monkeypatch.setattr(detection, "PAGE", page)
    assert main([str(tmp_path)]) == 1
    assert page.read_text(encoding="utf-8") == "before"
    assert f"{len(CONTROLS)} controls did not run" in capsys.readouterr().out
    matrix = json.loads((tmp_path / "detection.json").read_text(encoding="utf-8"))
    assert not any(one["caught"] for one in matrix["defects"])
