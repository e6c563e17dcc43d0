"""The request behind a finding: as a curl command, and with what was logged of it."""

from dataclasses import replace

import pytest

from brownout import Authentication, ContractViolation, Operation
from brownout.expectations import expect_retry_after
from brownout.report.facts import Trouble
from brownout.report.moment import moment_of
from brownout.trial.curl import curl_of
from tests.core.made import READ, problem, recording

PLACE = Operation.write(
    "place",
    "POST",
    "/orders/it's?a=1",
    json={"customer": "{token}", "note": "it's"},
    headers={"X-Tenant": "blue", "Authorization": "Bearer abcdef", "X-Api-Key": "k"},
    idempotency_header="Idempotency-Key",
)


@pytest.mark.parametrize(
    ("operation", "command"),
    [
        (READ, 'curl -i "$SERVICE"/things'),
        (
            PLACE,
            "curl -i -X POST \"$SERVICE\"'/orders/it'\"'\"'s?a=1' -H 'X-Tenant: blue' "
            "-H 'Authorization: …' -H 'X-Api-Key: …' -H 'Idempotency-Key: {token}' "
            "-H 'Content-Type: application/json' "
            '-d \'{"customer": "{token}", "note": "it\'"\'"\'s"}\'',
        ),
    ],
    ids=["read", "write"],
)
def test_an_operation_as_a_command(operation: Operation, command: str) -> None:
    assert curl_of(operation) == command


@pytest.mark.parametrize(
    ("login", "header"),
    [
        (Authentication(path="/login"), ' -H "Authorization: Bearer $TOKEN"'),
        (Authentication(path="/login", header="X-Key: {token}"), ' -H "X-Key: $TOKEN"'),
        (Authentication(user="ada", password="let-me-in"), ' -H "Authorization: Basic $TOKEN"'),  # noqa: S106
    ],
)
def test_a_command_names_the_login_s_token_and_does_not_hold_it(
    login: Authentication, header: str
) -> None:
    assert curl_of(READ, login) == curl_of(READ) + header
    public = Operation.read("public", "GET", "/", login=False)
    assert curl_of(public, login) == curl_of(public)


def test_a_command_keeps_the_header_that_its_operation_declares() -> None:
    assert curl_of(PLACE, Authentication(path="/login")) == curl_of(PLACE)


def violation_of(*answers: object) -> ContractViolation:
    with pytest.raises(ContractViolation) as caught:
        expect_retry_after(answers)  # type: ignore[arg-type]
    return caught.value


TOKEN = "token1"  # noqa: S105 - it opens nothing
FIRST = replace(problem(503), started=103.0, token=TOKEN, trace_id="trace1")
LOG = "trace1 failed\nanother line\ntoken1 password=hunter22\n" + "trace1 again\n" * 9


def test_the_first_answer_that_a_finding_names_is_its_moment() -> None:
    made = recording(
        answers=(replace(problem(503, headers={"Retry-After": "1"}), started=102.5), FIRST),
        log=LOG,
        requests={"list": 'curl -i "$SERVICE"/things/{token}'},
    )
    broken = violation_of(*made.answers)
    moment = moment_of(made, broken.violation)
    assert moment is not None
    assert moment.request == 'curl -i "$SERVICE"/things/token1'
    assert moment.log[:2] == ("trace1 failed", "token1 password=…")
    assert len(moment.log) == 4
    trouble = replace(Trouble.of(broken), moment=moment)
    assert Trouble.from_json(trouble.to_json()) == trouble


def test_a_probe_of_a_health_route_is_asked_by_its_path() -> None:
    probed = replace(FIRST, operation="/ready")
    made = recording(readiness=(probed,))
    moment = moment_of(made, violation_of(probed).violation)
    assert moment is not None
    assert (moment.request, moment.operation) == ('curl -i "$SERVICE"/ready', "/ready")


def test_a_moment_has_the_answer_without_its_secrets() -> None:
    seen = replace(
        problem(503, headers={"Set-Cookie": "session=hunter2", "X-Peer": "here"}, detail="gone"),
        started=103.0,
        token="token7",  # noqa: S106 - of a request
    )  # fmt: skip
    made = recording(answers=(seen,))
    moment = moment_of(made, violation_of(seen).violation)
    assert moment is not None
    assert moment.at == 3.0
    how, *others = moment.came
    assert "status 503" in how
    assert "Set-Cookie: …" in others
    assert "X-Peer: here" in others
    assert '"detail": "gone"' in others[-1]


def test_a_finding_that_names_no_answer_has_no_moment() -> None:
    made = recording(answers=(FIRST,), log=LOG)
    counted = ContractViolation("The pool is kept.", expected="at most 3", observed="5 sessions")
    assert moment_of(made, counted.violation) is None
