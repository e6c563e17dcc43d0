"""The run as JUnit XML: what GitLab, Jenkins and their like read."""

import importlib
import re
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from brownout.declaration.locating import place_named, place_of_function
from brownout.errors import Violation
from brownout.report.facts import Finding, Moment, Trouble, Verdict
from brownout.report.junit import junit
from brownout.report.merging import merged
from brownout.report.verdicts import Case
from tests.report.runs import HOSTILE, Run, case, hostile_run, large_run, mixed_run, run_of

SECONDS = re.compile(r"\d+\.\d{3}")
"""What Jenkins' schema takes for a time."""

ATTRIBUTES: Mapping[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"name", "tests", "failures", "errors"}, set()),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, set()),
    "testcase": ({"classname", "name", "time"}, {"file", "line"}),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message", "type"}, set()),
    "properties": (set(), set()),
    "property": ({"name", "value"}, set()),
}
"""By element what has to be there and what may be: of Jenkins' strict schema, and of pytest's
xunit1 the file, the line and the properties of a case."""

CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"properties", "failure", "error", "skipped"},
    "properties": {"property"},
}


def read(text: str) -> ET.Element:
    """The tree, once all of it is what the schema allows and its numbers are right."""
    root = ET.fromstring(text)  # noqa: S314 - we have written it
    assert root.tag == "testsuites"
    for element in root.iter():
        required, allowed = ATTRIBUTES[element.tag]
        assert required <= set(element.keys()) <= required | allowed, element.tag
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
        assert not (element.text or "").strip() or element.tag in {"failure", "error", "skipped"}
        if "time" in element.attrib:
            assert SECONDS.fullmatch(element.attrib["time"])
    for one in (root, *root.iter("testsuite")):
        for name, tag in (("failures", "failure"), ("errors", "error"), ("tests", "testcase")):
            assert int(one.attrib[name]) == len(list(one.iter(tag)))
    names = [(one.attrib["classname"], one.attrib["name"]) for one in root.iter("testcase")]
    assert len(set(names)) == len(names)  # CI systems tell cases apart by these
    for one in root.iter("testcase"):
        assert len([child for child in one if child.tag != "properties"]) <= 1
    return root


def placed(run: Run) -> dict[str, object]:
    """The document with a place of the declaration."""
    document, _ = run
    place = {"file": "shop/brownout.toml", "line": 3, "operations": {"list": 12, "place": 20}}
    service = {**document["session"]["service"], "place": place}
    return {**document, "session": {**document["session"], "service": service}}


@pytest.mark.parametrize("made", [mixed_run, hostile_run, large_run])
def test_it_is_what_ci_systems_read(made: object) -> None:
    assert callable(made)
    run: Run = made()
    root = read(junit(placed(run)))
    judged = sum(len(test["verdicts"]) for test in run[0]["tests"])
    assert len(list(root.iter("testcase"))) == judged
    assert {one.attrib["file"] for one in root.iter("testcase")} == {"shop/brownout.toml"}


def test_a_strict_reader_refuses_what_is_wrong() -> None:
    text = junit(mixed_run()[0])
    for good, bad in (
        ('<testsuites name="brownout"', '<testsuites name="brownout" colour="red"'),
        ("<properties>", "<properties><b/>"),
        ('classname="brownout.', 'class="brownout.'),
        ('failures="', 'failures="1'),
    ):
        assert good in text
        with pytest.raises((AssertionError, KeyError)):
            read(text.replace(good, bad, 1))


@pytest.mark.parametrize(
    ("verdict", "tolerated", "element"),
    [(Verdict.KEPT, False, None), (Verdict.BROKEN, False, "failure"),
     (Verdict.BROKEN, True, "skipped"), (Verdict.UNKNOWN, False, "error"),
     (Verdict.NOT_ASSESSED, False, "skipped")],
)  # fmt: skip
def test_each_verdict_has_its_element(
    verdict: Verdict, tolerated: bool, element: str | None
) -> None:
    root = read(junit(run_of([case("T1", "outage", verdict, tolerated=tolerated)])[0]))
    (one,) = root.iter("testcase")
    assert one.attrib["name"] == "T1 requests end within D [outage]"
    assert [child.tag for child in one if child.tag != "properties"] == [element][: bool(element)]
    said = {each.attrib["name"]: each.attrib["value"] for each in one.iter("property")}
    assert said["brownout.trial"] == "outage"
    assert said["brownout.verdict"] == ("tolerated" if tolerated else verdict.value)


def broken_by(operation: str) -> Case:
    """A case that an answer of this operation showed."""
    violation = Violation("Requests end in time.", "at most 1 s", f"{HOSTILE} of {operation}")
    trouble = Trouble(
        Verdict.BROKEN, "ContractViolation", violation.headline, violation,
        Moment(operation=operation),
    )  # fmt: skip
    made = case("T1", f"outage_of_{operation}", Verdict.BROKEN)
    return replace(made, findings=[Finding("T1", Verdict.BROKEN, trouble)], troubles=[trouble])


def test_a_finding_leads_to_the_operation_that_showed_it() -> None:
    cases = [broken_by("list"), broken_by("place"), broken_by("/health/live")]
    root = read(junit(placed(run_of([*cases, case("T1", "reset")]))))
    assert [one.attrib["line"] for one in root.iter("testcase")] == ["12", "20", "3", "3"]
    text = next(root.iter("failure")).text or ""
    for part in ("T1 broken (must)", "expected: at most 1 s", "Why it matters", "Reproduce with"):
        assert part in text


def test_two_tests_of_a_promise_on_one_trial_are_told_apart() -> None:
    cases = [case("R4", "failing_once"), case("R4", "failing_once")]
    cases[1].nodeid = "suites/test_retries.py::test_an_error_of_the_caller[failing_once]"
    names = [one.attrib["name"] for one in read(junit(run_of(cases)[0])).iter("testcase")]
    assert names[1].endswith(" [failing_once]: an error of the caller")


def test_what_else_failed_is_in_it() -> None:
    document, _ = run_of([case("T1", "outage")])
    other = Trouble(Verdict.BROKEN, "failure", "failed \x00").to_json()
    document |= {"others": [{"test": "suites/test_x.py::test_y", **other}], "error": "interrupted"}
    root = read(junit(document))
    assert [one.attrib["name"] for one in root.iter("testcase")][-2:] == [
        "suites/test_x.py::test_y", "the run",
    ]  # fmt: skip


def test_the_lines_of_a_toml_file_are_found(tmp_path: Path) -> None:
    text = """\
        # A shop.

        command = ["uvicorn"]

        [[operations]]
        kind = "read"
        name = "list-orders"

        [[operations]]
        name = 'place-order'
    """
    (tmp_path / "brownout.toml").write_text(textwrap.dedent(text))
    place = place_named("brownout.toml", [tmp_path], ["list-orders", "place-order"])
    assert place is not None
    assert (place.line, place.operations) == (3, {"list-orders": 5, "place-order": 9})
    assert place.to_json(tmp_path)["file"] == "brownout.toml"
    in_table = "[project]\nname = 'place-order'\n[tool.brownout]\noperations = [\n  {NAME},\n]\n"
    (tmp_path / "pyproject.toml").write_text(in_table.replace("NAME", 'name = "list-orders"'))
    place = place_named("pyproject.toml", [tmp_path], ["list-orders"])
    assert place is not None
    assert (place.line, place.operations) == (3, {"list-orders": 5})


def service_here() -> str:
    """A function that would declare a service."""
    return 'Operation.read("list-orders", …)'


def test_the_lines_of_a_python_file_are_found() -> None:
    operations = ["list-orders", "place-order", "quote"]
    importlib.import_module("tests.controls.kiosk.declaration")
    place = place_named("tests.controls.kiosk.declaration:BUDGET", [], operations)
    assert place is not None
    lines = place.file.read_text().splitlines()
    assert lines[place.line - 1].startswith("BUDGET = ")
    assert sorted(place.operations) == ["list-orders", "place-order", "quote"]
    for name, line in place.operations.items():
        assert name in "".join(lines[line - 1 : line + 1])
    place = place_of_function(service_here, operations)
    assert place is not None
    assert place.file == Path(__file__).resolve()
    assert place.operations == {}
    assert "def service_here" in Path(__file__).read_text().splitlines()[place.line - 1]


def test_what_several_jobs_could_not_begin_has_the_name_of_each() -> None:
    """Without a recording no fact says which trial it was."""
    left = Finding.unfinished("T1", "set-up failed")
    one = replace(case("T1", "outage"), findings=[left], facts={})
    document, _ = run_of([one])
    root = read(junit(merged({"pg16": document, "pg17": document}).document))
    names = [each.attrib["name"] for each in root.iter("testcase")]
    assert [name.partition("[")[2] for name in names] == ["pg16-outage]", "pg17-outage]"]
