"""The trace id is the caller's if it sends one."""

import re

import pytest

from sample_service.observability.tracing import trace_id

THEIRS = "4bf92f3577b34da6a3ce929d0e0e4736"


def of(value: str) -> str:
    return trace_id(value.encode())


def test_a_valid_traceparent_is_kept() -> None:
    assert of(f"00-{THEIRS}-00f067aa0ba902b7-01") == THEIRS


def test_a_later_version_may_append_fields() -> None:
    assert of(f"01-{THEIRS}-00f067aa0ba902b7-01-more") == THEIRS


@pytest.mark.parametrize(
    "value",
    [
        "",
        THEIRS,
        f"ff-{THEIRS}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{THEIRS.upper()}-00f067aa0ba902b7-01",
        f"00-{THEIRS[:-1]}-00f067aa0ba902b7-01",
    ],
)
def test_anything_else_gives_a_new_one(value: str) -> None:
    made = of(value)
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert made != THEIRS
    assert made != of(value)
