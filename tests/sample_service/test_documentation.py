"""Every problem, module, setting and operation of the sample service is documented."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from sample_service.app import create_app
from sample_service.problems import PROBLEM_TYPES, ProblemType
from sample_service.resilience.shedding import NEED_DATABASE
from sample_service.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", PROBLEM_TYPES, ids=lambda kind: kind.slug)
def test_a_problem_has_a_page_that_matches_its_type(kind: ProblemType) -> None:
    page = (ROOT / "docs" / "problems" / f"{kind.slug}.md").read_text()
    assert kind.title in page
    assert f"status {kind.status}" in page
    assert f"origin `{kind.origin}`" in page
    line = f"| [{kind.slug}]({kind.slug}.md) | {kind.status} | {kind.origin} | {kind.title} |"
    assert line in (ROOT / "docs" / "problems" / "README.md").read_text().splitlines()


def test_every_page_describes_a_problem_type() -> None:
    pages = {page.stem for page in (ROOT / "docs" / "problems").glob("*.md")} - {"README"}
    assert pages == {kind.slug for kind in PROBLEM_TYPES}


def test_a_title_belongs_to_one_type() -> None:
    assert len({kind.title for kind in PROBLEM_TYPES}) == len(PROBLEM_TYPES)


def test_every_module_is_in_the_readme() -> None:
    readme = (ROOT / "sample_service" / "README.md").read_text()
    modules = [each.name for each in (ROOT / "sample_service").rglob("[!_]*.py")]
    named = {path.rpartition("/")[2] for path in re.findall(r"`([\w/]+\.py)`", readme)}
    assert set(modules) - named == set()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_explains_its_default(name: str) -> None:
    assert len(Settings.model_fields[name].description or "") > 40


DOCUMENT = create_app(Settings(database_url=SecretStr("postgresql://x@x/x"))).openapi()
OPERATIONS = [each for path in DOCUMENT["paths"].values() for each in path.values()]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each["operationId"])
def test_every_operation_declares_its_problems(operation: dict[str, Any]) -> None:
    assert {"4XX", "5XX"} <= operation["responses"].keys()
    assert "422" not in operation["responses"], "This is the framework's own error format."


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each["operationId"])
def test_every_operation_declares_the_callers_deadline(operation: dict[str, Any]) -> None:
    named = {each["name"]: each for each in operation["parameters"]}
    declared = named["X-Request-Timeout-Ms"]
    assert declared["in"] == "header"
    assert not declared.get("required")
    assert declared["schema"] == {"type": "integer", "minimum": 1, "maximum": 999_999_999}
    assert "milliseconds" in declared["description"]
    assert "400" in declared["description"]


def test_what_the_service_imports_is_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sample = " ".join(declared["optional-dependencies"]["sample"])
    for distribution in ("fastapi", "asyncpg", "structlog", "prometheus-client", "aiosqlite"):
        assert distribution in sample


def test_every_path_that_needs_the_database_can_be_shed() -> None:
    assert {path for path in DOCUMENT["paths"] if not path.startswith(NEED_DATABASE)} == {
        "/shipping-quote"
    }
