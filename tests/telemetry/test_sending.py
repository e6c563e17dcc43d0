"""Sending to a collector: what arrives, and what is said where it does not."""

import logging
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from brownout.telemetry import send
from brownout.telemetry.sending import _place as place_of
from tests.core.peer import closed_port
from tests.report.runs import Run, mixed_run
from tests.telemetry.collector import Collector, collecting


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def environment(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """As a CI system sets it; the exporters read the process's own."""
    named = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "2"}
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    return named


@pytest.fixture(scope="module")
def run() -> Run:
    return mixed_run()


def test_spans_and_metrics_arrive(
    run: Run, collector: Collector, environment: dict[str, str]
) -> None:
    lines = list(send(*run, environment))
    assert lines == [
        f"traces to {collector.url}: {len(collector.spans)} spans sent",
        f"metrics to {collector.url}: {len(collector.metrics)} metrics sent",
    ]
    answered = sum(len(one["answers"]) for one in run[1].values())
    probed = sum(len(one["liveness"]) + len(one["readiness"]) for one in run[1].values())
    faults = sum(len(one["injected"]) for one in run[1].values())
    assert len(collector.spans) == 1 + len(run[1]) + faults + answered + probed


def test_metrics_count_verdicts_and_time_requests(
    run: Run, collector: Collector, environment: dict[str, str]
) -> None:
    list(send(*run, environment))
    metrics = {metric.name: metric for metric in collector.metrics}
    verdicts = {
        point.attributes[0].value.string_value: point.as_int
        for point in metrics["brownout.promises"].gauge.data_points
    }
    assert verdicts == {"kept": 15, "broken": 13, "unknown": 1, "not assessed": 1}
    kept = {
        point.attributes[0].value.string_value: point.as_int
        for point in metrics["brownout.promise.kept"].gauge.data_points
    }
    assert (kept["E1"], kept["S6"], len(kept)) == (0, 1, 28)
    points = metrics["brownout.request.duration"].histogram.data_points
    assert sum(point.count for point in points) == sum(
        len(one["answers"]) for one in run[1].values()
    )
    recoveries = metrics["brownout.recovery.duration"].gauge.data_points
    assert [point.as_double for point in recoveries] == [0.5] * 3


def test_they_are_brownout_s_and_not_the_service_s(
    run: Run,
    collector: Collector,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=ci")
    list(send(*run, environment))
    assert len(collector.resources) == 2
    for resource in collector.resources:
        named = {one.key: one.value.string_value for one in resource.attributes}
        assert named["service.name"] == "brownout"
        assert named["deployment.environment.name"] == "ci"


def test_a_collector_that_refuses_is_told_once_and_asked_no_more(
    run: Run, collector: Collector, environment: dict[str, str]
) -> None:
    collector.status = HTTPStatus.FORBIDDEN
    traces, metrics = send(*run, environment)
    assert "spans not sent: " in traces
    assert "403" in traces
    assert "4 of 4 metrics not sent: " in metrics
    assert len(collector.calls) == 2


def test_after_a_refusal_no_more_spans_are_sent(
    run: Run,
    collector: Collector,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("brownout.telemetry.otlp._BATCH", 10)
    collector.status = HTTPStatus.FORBIDDEN
    traces, _ = send(*run, environment)
    sent, _, total = traces.partition(": ")[2].partition(" spans")[0].partition(" of ")
    assert sent == total
    assert int(total) > 100
    assert len(collector.calls) == 2


def test_a_collector_that_is_not_there_costs_a_time_out(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    traces, metrics = send(*run, {"OTEL_EXPORTER_OTLP_ENDPOINT": url})
    assert traces.startswith(f"traces to {url}: ")
    assert "not sent: " in traces
    assert "not sent: " in metrics
    assert capfd.readouterr() == ("", "")


def test_another_protocol_is_said_and_nothing_is_sent(
    run: Run, collector: Collector, environment: dict[str, str]
) -> None:
    spoken = {**environment, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    traces, metrics = send(*run, spoken)
    assert traces == (
        f"traces to {collector.url}: not sent, because the protocol is grpc; "
        "set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf"
    )
    assert "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL" in metrics
    assert not collector.calls


def test_without_the_extra_it_says_what_to_install(
    run: Run, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brownout.telemetry.sending.find_spec", lambda _: None)
    traces, _ = send(*run, environment)
    assert traces.endswith("not sent; run `pip install 'pytest-brownout[otel]'` to send them")


def test_what_opentelemetry_raises_is_said_and_ends_nothing(
    run: Run, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As versions of it do that are older than the extra's, or as variables make it."""

    def older(*_: object) -> object:
        raise TypeError("create_histogram() got an unexpected keyword argument")

    monkeypatch.setattr("brownout.telemetry.otlp.send_metrics", older)
    traces, metrics = send(*run, environment)
    assert traces.endswith(" spans sent")
    assert "not sent: TypeError: create_histogram() got an unexpected" in metrics
    assert "pytest-brownout[otel]" in metrics


def test_an_interruption_passes(
    run: Run, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("brownout.telemetry.otlp.send_spans", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(send(*run, environment))


def test_an_endpoint_that_is_no_url_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = "http://user:secret@[::1:4318"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    for line in send(*run, {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}):
        assert " to an endpoint that is no URL: " in line
        assert "not sent: " in line
        assert "secret" not in line


def test_nothing_is_said_where_nothing_is_asked_for(run: Run) -> None:
    assert not list(send(*run, {}))


def test_a_secret_in_an_endpoint_is_not_shown() -> None:
    assert place_of("https://me:hunter22@collect.example:4318/v1?key=abc") == (
        "https://collect.example:4318/v1"
    )


def test_what_logged_before_logs_again(run: Run, environment: dict[str, str]) -> None:
    logger = logging.getLogger("opentelemetry")
    before = (logger.propagate, list(logger.handlers))
    list(send(*run, environment))
    assert (logger.propagate, list(logger.handlers)) == before
