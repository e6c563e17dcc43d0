"""OpenTelemetry's variables decide what is sent, where and how."""

import pytest

from brownout.settings.telemetry import Signal

HTTP = "http://127.0.0.1:4318"


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, set()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": HTTP}, set(Signal)),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, set()),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": HTTP}, {Signal.TRACES}),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": HTTP}, {Signal.METRICS}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": HTTP, "OTEL_SDK_DISABLED": "TRUE"}, set()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": HTTP, "OTEL_TRACES_EXPORTER": "none"}, {Signal.METRICS}),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": HTTP, "OTEL_TRACES_EXPORTER": "console, otlp"},
            set(Signal),
        ),
    ],
)
def test_an_endpoint_asks_for_a_signal_unless_it_is_switched_off(
    environment: dict[str, str], asked: set[Signal]
) -> None:
    assert {signal for signal in Signal if signal.endpoint(environment)} == asked


def test_the_signal_s_own_protocol_comes_first() -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
    }
    assert Signal.TRACES.protocol(environment) == "http/protobuf"
    assert Signal.METRICS.protocol(environment) == "grpc"
    assert Signal.METRICS.protocol({}) == "http/protobuf"
