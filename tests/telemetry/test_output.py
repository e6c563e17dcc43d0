"""When a run sends, and what it needs for that."""

import sys
from pathlib import Path

import pytest

from brownout.plugin import output
from brownout.report.folder import write
from tests.report.runs import mixed_run
from tests.telemetry.collector import collecting


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the environment asks for anything."""
    for name in ("ENDPOINT", "TRACES_ENDPOINT", "METRICS_ENDPOINT"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)


def written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run's report in the folder, without recordings."""
    monkeypatch.setattr(output, "report_folder", lambda _: folder)
    write(folder, mixed_run()[0])


def test_nothing_is_loaded_or_sent_unless_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    written(tmp_path, monkeypatch)
    monkeypatch.setitem(sys.modules, "brownout.telemetry", None)  # importing it would raise
    assert output.telemetry(pytestconfig) == []


def test_a_run_without_recordings_has_metrics_of_its_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    written(tmp_path, monkeypatch)
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        assert output.telemetry(pytestconfig) == [
            f"traces to {collector.url}: 0 spans sent",
            f"metrics to {collector.url}: 2 metrics sent",
        ]


def test_a_run_without_a_report_says_that_it_sends_nothing(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setattr(output, "report_folder", lambda _: None)
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        assert output.telemetry(pytestconfig) == [
            "traces and metrics: not sent; they need a report, see --brownout-report"
        ]
        assert not collector.calls
