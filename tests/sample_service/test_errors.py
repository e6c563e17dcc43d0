"""Every error has one format, and reveals no internals."""

import json

import pytest
from structlog.testing import capture_logs

from brownout.faults import RevokedPermission
from brownout.postgres import Postgres
from sample_service.settings import Settings
from tests.sample_service.shop import Shop, opened, patient, problem

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/orders/", 404),
        ("GET", "/orders/9223372036854775807", 404),
        ("GET", "/orders/one", 422),
        ("GET", "/orders/9223372036854775808", 422),
        ("GET", "/orders?customer=%00", 422),
        ("PUT", "/orders", 405),
        ("POST", "/orders", 422),
    ],
)
async def test_a_refusal_is_a_problem(shop: Shop, method: str, path: str, status: int) -> None:
    assert problem(await shop.client.request(method, path))["status"] == status


async def test_a_validation_error_does_not_repeat_what_was_sent(shop: Shop) -> None:
    answer = await shop.client.post("/orders", json={"customer": 12345678, "sku": "tea"})
    assert "12345678" not in answer.text
    assert problem(answer)["errors"]


async def test_an_unhandled_exception_is_a_problem_too_and_is_logged_once(
    settings: Settings, brownout_postgres: Postgres
) -> None:
    async with opened(patient(settings)) as shop:
        with brownout_postgres.inject(RevokedPermission()), capture_logs() as lines:
            answer = await shop.get("/orders", {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    body = problem(answer)
    assert (body["status"], body["origin"], body["trace_id"]) == (500, "service", TRACE)
    assert "42501" not in answer.text
    (failure,) = [line for line in lines if line["log_level"] == "error"]
    assert (failure["trace_id"], failure["sqlstate"]) == (TRACE, "42501")


async def test_a_deadline_that_is_not_a_number_is_refused(shop: Shop) -> None:
    answer = await shop.get("/shipping-quote?weight=1", {"X-Request-Timeout-Ms": "soon"})
    assert problem(answer)["status"] == 400


async def test_metrics_say_how_requests_ended(shop: Shop) -> None:
    await shop.get("/nothing")
    text = (await shop.get("/metrics")).text
    assert 'shop_requests_total{method="GET",origin="routing",route="unknown",status="404"}' in text
    assert json.dumps("open") in text
