"""A name that does not exist is answered with the closest one, or with all of them."""

import pytest

from brownout.suggestions import closest, suggestion


@pytest.mark.parametrize(
    ("name", "close"), [("prot", "port"), ("PORT", "port"), ("dns", "DSN"), ("x", None)]
)
def test_closest_ignores_case(name: str, close: str | None) -> None:
    assert closest(name, ["port", "DSN"]) == close


def test_no_name_is_close_where_none_is_known() -> None:
    assert closest("port", []) is None


def test_suggestion_is_the_closest_name_as_it_has_to_be_written() -> None:
    hint = suggestion("prot", ["port", "dsn"], written="{{{}}}".format)
    assert hint == "Did you mean '{port}'?"


def test_suggestion_without_a_close_name_lists_all() -> None:
    assert suggestion("x", ["port", "dsn"], written="{{{}}}".format) == "Known: {port}, {dsn}."
