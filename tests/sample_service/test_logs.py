"""A running service writes JSON lines, and one ERROR for each failed request."""

import json
import signal
from pathlib import Path

import pytest

from brownout.faults import Fault, RevokedPermission, ServerError, Statement
from brownout.postgres import Postgres
from sample_service.settings import Settings
from tests.sample_service.shop import patient
from tests.sample_service.test_process import PATIENCE, running

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("fault", "status", "sqlstate"),
    [
        (ServerError("53100", on=Statement("FROM orders")), 503, "53100"),
        (RevokedPermission(), 500, "42501"),
    ],
    ids=["declared", "unforeseen"],
)
def test_a_failed_request_is_one_error_line_with_its_trace_id_and_sqlstate(
    root: Path,
    settings: Settings,
    brownout_postgres: Postgres,
    tmp_path: Path,
    fault: Fault,
    status: int,
    sqlstate: str,
) -> None:
    output = tmp_path / "output"
    with (
        output.open("wb") as file,
        running(root, patient(settings), file.fileno(), SHOP_DRAIN_DELAY="0") as (
            process,
            client,
        ),
    ):
        assert client.get("/orders").status_code == 200
        assert client.get("/orders/one").status_code == 422
        with brownout_postgres.inject(fault):
            traced = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
            assert client.get("/orders", headers=traced).status_code == status
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert all(line.keys() >= {"event", "level", "timestamp"} for line in lines)
    assert any("Uvicorn running" in line["event"] for line in lines), "A library's line."
    [error] = [line for line in lines if line["level"] not in ("info", "warning")]
    assert (error["level"], error["status"]) == ("error", status)
    assert (error["trace_id"], error["sqlstate"]) == (TRACE, sqlstate)
