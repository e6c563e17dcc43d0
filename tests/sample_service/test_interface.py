"""The service matches its OpenAPI document. Schemathesis sends valid and invalid data, to single
operations and in chains, with a healthy and with a failing database.

The examples are the same in every run. Their outcomes under a fault are not (such as which request
finds the breaker open), so any declared answer is accepted there.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.schemas import BaseSchema

from brownout import kib, ms
from brownout.faults import (
    BlackHole,
    CutAfter,
    Fault,
    Latency,
    LockedTables,
    NoFreeSlots,
    Outage,
    Reset,
)
from brownout.postgres import Postgres
from sample_service.app import create_app
from sample_service.problems import DATABASE_UNAVAILABLE, INTERNAL_ERROR, PROBLEM_TYPES
from sample_service.settings import Settings
from tests.sample_service.shop import patient
from tests.sample_service.test_process import answers, running, until

OPERATIONS: Final = [
    (method, path)
    for path, methods in create_app(Settings(database_url=SecretStr("postgresql://x@x/x")))
    .openapi()["paths"]
    .items()
    for method in methods
]

MODES: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)

ALLOWED: Final = {kind.uri: kind.status for kind in PROBLEM_TYPES if kind is not INTERNAL_ERROR}

DEADLINE: Final = "X-Request-Timeout-Ms"
HASTE: Final = {DEADLINE: "250"}
"""Under a fault, callers have short deadlines. The service's own is long, so a slow machine does
not look like a fault."""

load_all_checks()


def checks(*names: str) -> Any:
    """Return Schemathesis' checks of these names; `Any`, because it types the kinds differently."""
    return CHECKS.get_by_names(list(names))


def declared_problem(_: object, response: Any, __: object) -> None:
    """Check that a 5xx is a documented problem with its own status, and not an internal error."""
    if response.status_code >= 500:
        assert ALLOWED.get(response.json()["type"]) == response.status_code


CONFORMANCE: Final = [
    declared_problem,
    *checks(
        "allow_header_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "status_code_conformance",
    ),
]
HEALTHY: Final = [*CONFORMANCE, *checks("not_a_server_error")]
REFUSED: Final = [*HEALTHY, *checks("negative_data_rejection", "unsupported_method")]
"""Without `positive_data_acceptance`, because a schema cannot say which skus exist."""
CHAINED: Final = [*HEALTHY, *checks("ensure_resource_availability")]
"""Without `use_after_free`, because a cancelled order can still be read."""


def some(number: int, **more: Any) -> examples:
    """Return settings for that many examples, the same in every run."""
    return examples(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )


# A shrunk example would not meet the breaker in the same state.
UNSHRUNK: Final = (Phase.explicit, Phase.generate)


@pytest.fixture(scope="module")
def client(root: Path, settings: Settings, tmp_path_factory: Any) -> Iterator[httpx.Client]:
    """A running service."""
    stale = tmp_path_factory.mktemp("interface") / "snapshot.sqlite3"
    with running(root, patient(settings), SHOP_SNAPSHOT=str(stale)) as (_, client):
        yield client


@pytest.fixture(scope="module")
def described(client: httpx.Client) -> BaseSchema:
    """The service's OpenAPI document."""
    address = str(client.base_url.join("/openapi.json"))
    return schemathesis.openapi.from_url(address, config=SchemathesisConfig())


def for_tea(case: "schemathesis.Case[Any]") -> None:
    """Order an existing product, with enough time: a schema can express neither."""
    if isinstance(case.body, dict) and "sku" in case.body:
        case.body["sku"] = "tea"
    with_time(case)


def with_time(case: "schemathesis.Case[Any]") -> None:
    """Leave a valid deadline that no query meets to the tests of deadlines."""
    if re.fullmatch("[1-9][0-9]{0,8}", wanted := str(case.headers.get(DEADLINE))):
        case.headers[DEADLINE] = wanted.ljust(9, "9")


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for all examples."""
    with requests.Session() as session:
        yield session


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_valid_data_is_answered_as_described(
    described: BaseSchema, session: requests.Session, method: str, path: str
) -> None:
    statuses = set()

    @some(20)
    @given(case=described[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE))
    def ask(case: "schemathesis.Case[Any]") -> None:
        for_tea(case)
        statuses.add(case.call_and_validate(session=session, checks=HEALTHY).status_code)

    ask()
    assert statuses & {200, 201}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_invalid_data_is_refused_as_described(
    described: BaseSchema, session: requests.Session, method: str, path: str
) -> None:
    @some(20)
    @given(case=described[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def ask(case: "schemathesis.Case[Any]") -> None:
        with_time(case)
        case.call_and_validate(session=session, checks=REFUSED)

    ask()


@pytest.mark.parametrize(
    "fault",
    [
        Latency(ms(400)),
        Outage(),
        BlackHole(),
        Reset(),
        NoFreeSlots(),
        LockedTables(tables=("public.orders", "public.products")),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_fault_is_answered_as_described(
    described: BaseSchema,
    session: requests.Session,
    client: httpx.Client,
    brownout_postgres: Postgres,
    fault: Fault,
) -> None:
    statuses = set()

    @some(30, phases=UNSHRUNK)
    @given(
        case=st.one_of(
            [
                described[path][method].as_strategy(generation_mode=mode)
                for method, path in OPERATIONS
                for mode in MODES
            ]
        )
    )
    def ask(case: "schemathesis.Case[Any]") -> None:
        for_tea(case)
        answer = case.call_and_validate(session=session, headers=HASTE, checks=CONFORMANCE)
        statuses.add(answer.status_code)

    with brownout_postgres.inject(fault):
        ask()
    until(lambda: answers(client, "/orders") == 200)
    assert 503 in statuses


@pytest.mark.parametrize(
    "fault",
    [None, Latency(ms(15)), CutAfter(kib(4))],
    ids=lambda fault: type(fault).__name__ if fault else "healthy",
)
def test_an_order_can_be_followed_as_described(
    described: BaseSchema,
    session: requests.Session,
    client: httpx.Client,
    brownout_postgres: Postgres,
    fault: Fault | None,
) -> None:
    placed, followed = set(), set()
    chain: Any = described.as_state_machine()

    class Chain(chain):  # type: ignore[misc]
        def before_call(self, case: "schemathesis.Case[Any]") -> None:
            for_tea(case)

        def call(self, case: "schemathesis.Case[Any]", **more: Any) -> Any:
            return case.call(session=session, **more)

        def validate_response(
            self, response: Any, case: "schemathesis.Case[Any]", *_: Any, **__: Any
        ) -> None:
            wanted: Any = CONFORMANCE if fault else CHAINED
            case.validate_response(response, checks=wanted, recorder=self.recorder)
            if response.status_code == 201:
                placed.add(response.json()["id"])
            elif response.status_code == 200 and case.path_parameters.get("order_id") in placed:
                followed.add(case.operation.label)

    settings = some(8, phases=UNSHRUNK, stateful_step_count=6)
    if fault is None:
        Chain.run(settings=settings)
    else:
        with brownout_postgres.inject(fault):
            Chain.run(settings=settings)
    until(lambda: answers(client, "/orders") == 200)
    links = {f"{method.upper()} {path}" for method, path in OPERATIONS if "order_id" in path}
    assert followed == links if fault is None else followed


RIGHT: Final = {
    "type": DATABASE_UNAVAILABLE.uri,
    "title": DATABASE_UNAVAILABLE.title,
    "status": 503,
    "detail": "Please try again shortly.",
    "trace_id": "0" * 31 + "1",
    "origin": "database",
}
PROBLEM: Final = "application/problem+json"


def validate(described: BaseSchema, status: int, media_type: str, body: object) -> None:
    """Check a response that the service did not send."""
    case = described["/orders/{order_id}"]["GET"].Case(path_parameters={"order_id": 1})
    request = requests.Request("GET", "http://shop/orders/1").prepare()
    headers = {"content-type": [media_type]}
    content = json.dumps(body).encode()
    case.validate_response(
        Response(status, headers, content, request, 0.0, verify=False), checks=CONFORMANCE
    )


def test_a_declared_problem_is_as_described(described: BaseSchema) -> None:
    validate(described, 503, PROBLEM, RIGHT)


@pytest.mark.parametrize(
    ("status", "media_type", "body"),
    [
        (503, "application/json", RIGHT),
        (503, PROBLEM, {name: value for name, value in RIGHT.items() if name != "trace_id"}),
        (503, PROBLEM, {**RIGHT, "origin": "elsewhere"}),
        (503, PROBLEM, {**RIGHT, "type": "about:blank"}),
        (502, PROBLEM, {**RIGHT, "status": 502}),
        (500, PROBLEM, {**RIGHT, "type": INTERNAL_ERROR.uri, "status": 500}),
        (302, "text/html", RIGHT),
        (200, "application/json", {"id": 1}),
    ],
)
def test_a_response_that_is_not_as_described_is_rejected(
    described: BaseSchema, status: int, media_type: str, body: object
) -> None:
    with pytest.raises((FailureGroup, AssertionError)):
        validate(described, status, media_type, body)
