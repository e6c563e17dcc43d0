"""What is shown holds no secret and nothing that acts on a terminal."""

import time

import pytest

from brownout.errors import BrownoutError, ContractViolation
from brownout.texts import masked, shown, visible


@pytest.mark.parametrize(
    ("text", "shown_as"),
    [
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("a\rb\x9bc\x7f", "a\\rb\\x9bc\\x7f"),
        ("right\u202eto left", "right\\u202eto left"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("na\xefve \xa0 \u2192 \U0001f600", "na\xefve \xa0 \u2192 \U0001f600"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_what_acts_on_a_terminal_is_escaped(text: str, shown_as: str) -> None:
    assert visible(text) == shown_as


def test_line_ends_are_escaped_where_a_line_is_one() -> None:
    assert visible("a\nb\t", keep="") == "a\\nb\\t"


@pytest.mark.parametrize(
    ("text", "shown_as"),
    [
        ("password=hunter22 user=me", "password=… user=me"),
        ("PGPASSWORD: hunter22", "PGPASSWORD: …"),
        ('{"api_key": "abcd1234", "id": 7}', '{"api_key": "…", "id": 7}'),
        ("{'client_secret': 'ab\\'cd12'}", "{'client_secret': '…'}"),
        ("GET /orders?token=abcd1234&limit=10 200", "GET /orders?token=…&limit=10 200"),
        ("GET /orders?key=abcd1234", "GET /orders?key=…"),
        ("Authorization: Bearer abcd.efgh", "Authorization: Bearer …"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: Basic …"),
        ("Set-Cookie: session=abcd1234; Path=/", "Set-Cookie: …; Path=/"),
        ("postgresql://me:hunter2@db/shop", "postgresql://me:…@db/shop"),
        ("using eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0", "using …"),
        ("remote https://ghp_abcdefghij0123456789@x", "remote https://…@x"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n/+=\n", "…"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, shown_as: str) -> None:
    assert masked(text) == shown_as
    assert masked(shown_as) == shown_as


@pytest.mark.parametrize(
    "text",
    [
        "POST /orders/{token}: 503 after 12 ms",
        '{"customer": "{token}", "password": "{database_password}"}',
        "the body has ⟨dsn.password⟩; password=********",
        "password: required, token=None",
        "254 of 254 writes, one of them order-17f2",
        "expected: Content-Type application/problem+json",
        "brownout explain H1 says why",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize(
    "text",
    ["password" * 20_000, 'password="' + "\\" * 100_000, "a" * 200_000, "://:" * 50_000,
     "-----BEGIN PRIVATE KEY-----" * 7_000, "eyJ" + "a." * 80_000, "cookie: " * 25_000],
)  # fmt: skip
def test_masking_takes_linear_time(text: str) -> None:
    begun = time.thread_time()
    shown(text)
    assert time.thread_time() - begun < 2.0


def test_errors_and_findings_are_masked_and_visible() -> None:
    error = BrownoutError(
        "no \x1b[2J", tried=["GET /?token=abcd1234"], remedy="see password=hunter22"
    )
    assert str(error) == "no \\x1b[2J\nTried:\n  - GET /?token=…\nWhat to do: see password=…"
    violation = ContractViolation(
        "It holds.",
        expected="none",
        observed="'hunter22' at \x1b]0;x\x07 with token=abcd1234",
        facts={"api_key": "abcd1234", "body": "password=hunter22", "status": 500},
        timeline=["12:00 Authorization: Bearer abcd1234 \x1b[31m"],
    ).violation
    assert violation.observed == "'hunter22' at \\x1b]0;x\\x07 with token=…"
    assert violation.facts == {"api_key": "…", "body": "password=…", "status": 500}
    assert violation.timeline == ("12:00 Authorization: Bearer … \\x1b[31m",)
