"""docs/incidents.md and the incidents' folders are what incidents.toml says."""

import re

import pytest

from brownout.behaviours import CATALOGUE
from brownout.trial import plan
from brownout.trial.model import Trial
from examples.gallery import FOLDER, INCIDENTS, PAGE, TWINS, Incident, page

REPORT = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+/(issues|pull)/\d+")

each = pytest.mark.parametrize("incident", INCIDENTS, ids=[one.name for one in INCIDENTS])


def trials() -> set[str]:
    """The names of the suites' trials."""
    named = [getattr(plan, name) for name in plan.__all__]
    several = [one if isinstance(one, tuple) else (one,) for one in named]
    return {one.id for group in several for one in group if isinstance(one, Trial)}


def test_the_page_is_made_from_the_data_and_the_services() -> None:
    """It was not: run `make incidents-page`."""
    assert PAGE.read_text("utf-8") == page()


def test_each_folder_is_an_incident() -> None:
    folders = {path.parent.name for path in FOLDER.glob("*/brownout.toml")}
    assert sorted(folders) == sorted(one.name for one in INCIDENTS)
    assert len(INCIDENTS) >= 20


@each
def test_an_incident_has_its_reports_its_promise_and_its_trial(incident: Incident) -> None:
    assert incident.reports
    assert all(map(REPORT.fullmatch, incident.reports))
    assert {incident.promise, *incident.also} <= set(CATALOGUE)
    assert incident.trial in trials()
    assert incident.judged == "" or incident.trial in incident.judged


@each
def test_the_mended_service_differs_in_a_few_lines(incident: Incident) -> None:
    changed = [line for line in incident.difference(context=0) if line]
    assert 1 <= len(changed) <= 25
    lines = [len(incident.source(twin).read_text("utf-8").splitlines()) for twin in TWINS]
    assert max(lines) <= 110
