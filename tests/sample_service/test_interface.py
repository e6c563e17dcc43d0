"""The described interface is what is served: Schemathesis asks, with right and with wrong data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import BaseSchema

from brownout.faults import Outage
from brownout.postgres import Postgres
from sample_service.app import create_app
from sample_service.settings import Settings
from tests.sample_service.test_process import running

OPERATIONS: Final = [
    (method, path)
    for path, methods in create_app(Settings(database_url=SecretStr("postgresql://x@x/x")))
    .openapi()["paths"]
    .items()
    for method in methods
]

load_all_checks()


def checks(*names: str) -> Any:
    """Schemathesis' checks of these names; `Any`, since it tells kinds apart that it runs alike."""
    return CHECKS.get_by_names(list(names))


CONFORMANCE: Final = checks(
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "status_code_conformance",
)
HEALTHY: Final = [*CONFORMANCE, *checks("not_a_server_error")]
STRICT: Final = [*HEALTHY, *checks("negative_data_rejection")]
"""Not `positive_data_acceptance`: that a sku is unknown, no schema can say."""

few = examples(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def described(root: Path, settings: Settings) -> Iterator[BaseSchema]:
    """The interface as a running service describes it."""
    with running(root, settings) as (_, client):
        yield schemathesis.openapi.from_url(str(client.base_url.join("/openapi.json")))


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_right_data_is_answered_as_described(described: BaseSchema, method: str, path: str) -> None:
    @few
    @given(case=described[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE))
    def ask(case: "schemathesis.Case[Any]") -> None:
        case.call_and_validate(checks=HEALTHY)

    ask()


@pytest.mark.parametrize(
    ("method", "path"), [each for each in OPERATIONS if each[1] != "/products"]
)
def test_wrong_data_is_refused_as_described(described: BaseSchema, method: str, path: str) -> None:
    @few
    @given(case=described[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def ask(case: "schemathesis.Case[Any]") -> None:
        case.call_and_validate(checks=STRICT)

    ask()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_outage_is_answered_as_described(
    described: BaseSchema, brownout_postgres: Postgres, method: str, path: str
) -> None:
    statuses = set()

    @few
    @given(case=described[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE))
    def ask(case: "schemathesis.Case[Any]") -> None:
        statuses.add(case.call_and_validate(checks=CONFORMANCE).status_code)

    with brownout_postgres.inject(Outage()):
        ask()
    assert 500 not in statuses
