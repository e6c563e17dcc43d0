"""The JSON Schema of brownout.json."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from brownout.report.document import failed_document, schema
from tests.plugin.conftest import Judge
from tests.report.runs import Run, hostile_run, large_run, mixed_run

pytest_plugins = ["pytester"]

EVERY = """
@pytest.mark.behaviour('T1')
def test_broken(): raise violation()

@pytest.mark.behaviour('T2')
def test_unknown(): raise FaultNotFelt('It hit nothing.', tried=['once'], remedy='Ask more.')

@pytest.mark.behaviour('T3')
def test_left_out(): raise NotAssessable('It is not declared.')

@pytest.mark.behaviour('E6')
def test_tolerated(): raise violation('It says when to retry.')

@pytest.mark.behaviour('P9')
def test_kept(record_property): record_property('brownout', {'much': 1})

def test_other(): raise ValueError('x')
"""


def strict(part: Any) -> Any:
    """The schema in which a member that it does not describe is a mistake."""
    if isinstance(part, list):
        return [strict(each) for each in part]
    if not isinstance(part, dict):
        return part
    inside = {name: strict(value) for name, value in part.items()}
    if "properties" in part and "additionalProperties" not in part and "allOf" not in part:
        inside["additionalProperties"] = False
    return inside


def mistakes(document: object) -> list[str]:
    """What a strict reader has to object to in a document."""
    within = strict(schema())
    # `test` stands beside a trouble's own members.
    del within["$defs"]["trouble"]["additionalProperties"]
    found = jsonschema.Draft202012Validator(within).iter_errors(document)
    return [f"{one.json_path}: {one.message}" for one in found]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    "run", [mixed_run(), hostile_run(), large_run()], ids=["mixed", "hostile", "large"]
)
def test_a_document_is_as_the_schema_says(run: Run) -> None:
    assert mistakes(run[0]) == []


def test_a_document_of_a_run_that_judged_nothing_is_as_the_schema_says() -> None:
    assert mistakes(failed_document(2, "No service is declared.")) == []


def test_what_a_real_run_writes_is_as_the_schema_says(judge: Judge, tmp_path: Path) -> None:
    judge(EVERY, f"--brownout-report={tmp_path}")
    document = json.loads((tmp_path / "brownout.json").read_text(encoding="utf-8"))
    assert len(document["findings"]) == 3
    assert len(document["others"]) == 1
    assert mistakes(document) == []


@pytest.mark.parametrize(
    ("member", "value", "mistake"),
    [
        ("format", 3, "$.format: 2 was expected"),
        ("exit_code", 5, "$.exit_code: 5 is not one of"),
        ("undescribed", 1, "('undescribed' was unexpected)"),
        ("findings", [{}], "$.findings[0]: 'verdict' is a required property"),
    ],
)
def test_another_document_is_refused(member: str, value: object, mistake: str) -> None:
    document = {**failed_document(2, "x"), member: value}
    assert any(mistake in each for each in mistakes(document))
