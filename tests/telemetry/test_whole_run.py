"""A gate that exports: the trace of a request that failed is the one that the service logged."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.telemetry.collector import collecting

ROOT = Path(__file__).parents[2]
OPERATIONS = {"list-orders", "place-order"}
GATE = [sys.executable, "-P", "-c", "import sys, brownout.cli; sys.exit(brownout.cli.main())"]


def test_the_service_logs_the_trace_ids_that_are_exported(tmp_path: Path) -> None:
    with collecting() as collector:
        environment = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "PYTHONPATH": str(ROOT),
        }
        ran = subprocess.run(
            [
                *(*GATE, "gate", "--only", "E5/outage", "--replicas=1", f"--report={tmp_path}"),
                "--service=tests.controls.declared:sharing_bundle",
            ],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"traces to {collector.url}: {len(collector.spans):,} spans sent" in ran.stdout
    (trial,) = (span for span in collector.spans if span.name == "trial outage")
    (fault,) = (span for span in collector.spans if span.name == "fault Outage")
    assert fault.parent_span_id == trial.span_id
    failed = [
        span
        for span in collector.spans
        if span.links and span.name in OPERATIONS
        if any(one.key == "error.type" for one in span.attributes)
    ]
    log = Path(tmp_path, "service.log").read_text("utf-8")
    logged = set(re.findall(r"ERROR ([0-9a-f]{32}) ", log))
    assert failed
    assert {span.trace_id.hex() for span in failed} <= logged
