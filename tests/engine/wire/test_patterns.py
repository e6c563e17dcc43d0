"""Patterns come from outside: they take linear time, and what they cannot be is said."""

import re
import time

import pytest

from brownout.engine.wire.patterns import PATTERN_LONGEST, InvalidPattern, pattern_of
from brownout.engine.wire.sql import SQL_KEPT, Sql
from brownout.engine.wire.when import When

_BUDGET = 1.0
"""Seconds of CPU for one search, fifty times what it takes; with `re` most of these never end."""

_EVIL = ["(a+)+$", "(a|a)*b", "(.*)*x", "(a|b)*a(a|b){120}c", "(a?){60}a{60}$", r"(\w+\s?)+;$"]
_TEXTS = ["a" * SQL_KEPT, "ab" * (SQL_KEPT // 2), "a b\n" * (SQL_KEPT // 4), "é" * SQL_KEPT]


@pytest.mark.parametrize("pattern", _EVIL)
def test_a_search_takes_linear_time_whatever_the_pattern(pattern: str) -> None:
    when = When(("Query",), sql=pattern)
    for text in _TEXTS:
        begun = time.thread_time()
        when.about(Sql(text + "!"))
        assert time.thread_time() - begun < _BUDGET


@pytest.mark.parametrize(
    "text",
    ["/*" * 4000, "".join(f"$a{n}$ " for n in range(1300)), "'" * 8001, '"' * 8001, "e'\\" * 2700],
)
def test_what_ends_a_transaction_is_found_in_linear_time(text: str) -> None:
    begun = time.thread_time()
    assert Sql(f"commit;{text}").commits
    assert time.thread_time() - begun < _BUDGET / 10


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("insert into orders", "INSERT  INTO\n\torders"),
        (re.escape("values (1)"), "values  (1)"),
        ("a[ ,]b", "a\tb"),
        (r"\\ x", "\\\nx"),
        ("[^] ]y", "xy"),
        ("[[:alpha:] ]7", "\n7"),
        (r"\Qa (b\E", "A\t(B"),
    ],
)
def test_a_blank_is_any_white_space(pattern: str, text: str) -> None:
    assert pattern_of(pattern).found_in(text)


def test_a_blank_in_brackets_is_one_character_and_no_plus() -> None:
    assert not pattern_of("^[ ]$").found_in("+")
    assert not pattern_of("[^] ]y").found_in("\ty")


@pytest.mark.parametrize("quantifier", ["*", "+", "?", "{2}", "{0,1}"])
def test_a_repeated_blank_is_refused_with_what_a_blank_means(quantifier: str) -> None:
    with pytest.raises(InvalidPattern, match=r"a blank already means one or more.* write \\s\*"):
        pattern_of(f"insert {quantifier}into")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?=a)b", "no look-ahead"),
        ("(?!a)b", "no look-ahead"),
        ("(?<=a)b", "no look-behind"),
        (r"(a)\1", "no backreference"),
        ("(?P<n>a)(?P=n)", "no backreference"),
        ("(", "missing )"),
        ("a{1001}", "invalid repetition size"),
        ("(a{20}){20}", "too large"),
        (r"\pL{90}", "too large"),
        ("a" * (PATTERN_LONGEST + 1), "longer than 1000"),
        ("\ud800", "surrogate"),
    ],
)
def test_what_cannot_be_a_pattern_is_said(pattern: str, said: str) -> None:
    with pytest.raises(InvalidPattern, match=re.escape(said)):
        pattern_of(pattern)
