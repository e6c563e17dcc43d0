"""A waiver has a reason, ends when it says so, and names a promise that exists."""

from datetime import date

import pytest

from brownout import SettingsError
from brownout.declaration.waivers import Waiver, waiver
from tests.core.made import service


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("no route yet", Waiver("no route yet", None)),
        ("no route yet, until 2027-02", Waiver("no route yet", date(2027, 2, 28))),
        ("no, really, until 2027-02-03", Waiver("no, really", date(2027, 2, 3))),
    ],
)
def test_a_waiver_is_read(text: str, read: Waiver) -> None:
    assert waiver("H0", text) == read


@pytest.mark.parametrize(
    "text", ["", " ", "until 2027-03", "x, until 2027", "x, until 2027-13", "x, until 2027-02-30"]
)
def test_a_waiver_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="the waiver of H0 is"):
        waiver("H0", text)


def test_a_promise_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingsError, match="H99"):
        service(waivers={"H99": "why not"})


def test_it_holds_to_the_end_of_its_last_day() -> None:
    declared = service(waivers={"H0": "no route yet, until 2027-02"})
    given = declared.waiver("H0")
    assert given is not None
    assert given.holds(date(2027, 2, 28))
    assert not given.holds(date(2027, 3, 1))
    assert declared.waiver("H1") is None


@pytest.mark.parametrize(
    ("text", "described"),
    [
        ("no route yet", "waived: no route yet"),
        ("no route yet, until 2027-02", "waived until 2027-02-28: no route yet"),
        ("no route yet, until 2027-01", "its waiver ended on 2027-01-31: no route yet"),
    ],
)
def test_a_report_says_why_and_until_when(text: str, described: str) -> None:
    assert waiver("H0", text).describe(date(2027, 2, 1)) == described
