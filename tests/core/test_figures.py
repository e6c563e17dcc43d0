"""What was measured beside its limit."""

from datetime import timedelta

import pytest

from brownout.figures import FAILED, Figure, collected, forget, note, worst
from brownout.units import ms, seconds


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Figure.time(ms(830), seconds(3)), "0.83 s of 3 s"),
        (Figure.time(ms(1649), ms(1650)), "1.65 s of 1.65 s"),
        (Figure.time(ms(83), ms(750)), "83 ms of 750 ms"),
        (Figure(5, 10, "sessions"), "5 of 10 sessions"),
        (Figure.failed(2, 57), "2 of 57 failed"),
    ],
)
def test_a_figure_reads_as_measured_of_allowed(figure: Figure, text: str) -> None:
    assert str(figure) == text
    assert Figure.from_json(figure.to_json()) == figure


def test_notes_are_collected_in_the_block_only() -> None:
    note(Figure.failed(1, 1))
    with collected() as outer:
        note(Figure.failed(0, 3))
        with collected() as inner:
            note(Figure.failed(0, 5))
        note(Figure.failed(0, 7))
    note(Figure.failed(1, 1))
    assert outer == [Figure.failed(0, 3), Figure.failed(0, 7)]
    assert inner == [Figure.failed(0, 5)]


def test_a_collection_forgets_what_is_judged_again() -> None:
    forget()
    with collected() as figures:
        note(Figure.failed(1, 3))
        forget()
        note(Figure.failed(0, 5))
    assert figures == [Figure.failed(0, 5)]


LATE = Figure.time(ms(1200), ms(1000))
NEAR = Figure.time(ms(900), ms(1000))
EARLY = Figure.time(timedelta(0), ms(1000))


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ([], None),
        ([Figure.failed(0, 3), Figure.failed(0, 4)], Figure(0, 7, FAILED)),
        ([Figure.failed(0, 3), EARLY, NEAR], NEAR),
        ([Figure.failed(2, 3), NEAR], Figure(2, 3, FAILED)),
        ([Figure.failed(2, 3), NEAR, LATE], LATE),
        ([Figure(0, 0, "failures"), Figure(1, 0, "failures")], Figure(1, 0, "failures")),
    ],
)
def test_the_worst_figure_says_most(figures: list[Figure], expected: Figure | None) -> None:
    assert worst(figures) == expected
