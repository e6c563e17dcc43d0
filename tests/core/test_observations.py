"""What was seen is told apart, timed and read as it is."""

import json
import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout import Answer, BrownoutError, Completion, Problem, ms, seconds
from brownout.observations import SAMPLES, History, Latencies, Recovery
from tests.core.made import answer, no_answer, problem, timed


def latencies(*milliseconds: float) -> Latencies:
    return Latencies(tuple(ms(one) for one in milliseconds))


# -- times ---------------------------------------------------------------------------------------


def test_the_p99_of_200_samples_is_the_third_largest() -> None:
    assert latencies(*range(1, 201)).p99 == ms(198)


def test_one_slow_answer_in_a_hundred_is_not_the_p99_and_more_are() -> None:
    assert latencies(*[1.0] * 198, *[900.0] * 2).p99 == ms(1)
    assert latencies(*[1.0] * 197, *[900.0] * 3).p99 == ms(900)


@given(st.lists(st.integers(0, 10_000), min_size=SAMPLES, max_size=SAMPLES + 150))
def test_99_in_100_samples_are_at_most_the_p99_and_fewer_are_below_it(samples: list[int]) -> None:
    p99 = latencies(*samples).p99
    assert p99 in {ms(sample) for sample in samples}
    needed = math.ceil(len(samples) * 99 / 100)
    assert sum(ms(sample) <= p99 for sample in samples) >= needed
    assert sum(ms(sample) < p99 for sample in samples) < needed


@given(st.lists(st.integers(0, 10_000), max_size=SAMPLES - 1))
def test_fewer_than_200_samples_have_no_p99(samples: list[int]) -> None:
    with pytest.raises(BrownoutError, match=f"needs 200 samples, but only {len(samples)}"):
        _ = latencies(*samples).p99


def test_the_median_needs_a_sample() -> None:
    assert latencies(3, 1, 2).p50 == ms(2)
    assert latencies(1, 2).p50 == ms(1.5)
    with pytest.raises(BrownoutError, match="no median"):
        _ = latencies().p50


@pytest.mark.parametrize(("median", "pace"), [(1, 5), (2, 6), (10, 30)])
def test_a_service_that_takes_long_is_asked_less_often(median: int, pace: int) -> None:
    """Asked each 5 ms, one that takes 10 ms of its only core is late without any fault."""
    assert latencies(median, median, 900).pace == ms(pace)


@pytest.mark.parametrize(("p99", "ceiling"), [(5, 105), (50, 150), (60, 180), (400, 1200)])
def test_the_ceiling_is_three_times_the_p99_and_at_least_100_ms_more(
    p99: int, ceiling: int
) -> None:
    assert latencies(*[p99] * SAMPLES).ceiling == ms(ceiling)


def test_latencies_are_those_of_the_answers() -> None:
    assert Latencies.of(timed(1, 2, 3)) == latencies(1, 2, 3)


def asked_in_turn(*milliseconds: int) -> list[Answer]:
    return [answer(elapsed=ms(one), started=at) for at, one in enumerate(milliseconds)]


def test_the_worst_answers_that_were_asked_for_in_turn_are_left_out() -> None:
    answers = asked_in_turn(1, 9, 2, 7, 6, 3)
    for shuffled in (answers, answers[::-1]):
        assert Latencies.apart_from_worst(shuffled, 2) == latencies(1, 9, 2, 3)
        assert Latencies.apart_from_worst(shuffled, 6) == latencies()
        assert Latencies.apart_from_worst(shuffled, 7) == latencies()
    assert Latencies.apart_from_worst([], 2) == latencies()


@given(st.lists(st.integers(0, 99)), st.integers(1, 9))
def test_what_is_late_twice_is_still_late_without_its_worst(between: list[int], count: int) -> None:
    held = [900] * count
    left = Latencies.apart_from_worst(asked_in_turn(*held, *between, *[1] * count, *held), count)
    assert sorted(left.samples)[-count:] == [ms(900)] * count


# -- problems ------------------------------------------------------------------------------------


def test_a_problem_is_read_from_the_body() -> None:
    found = problem(503, type="/problems/x", title="Gone", trace_id="a1").problem()
    assert found is not None
    assert (found.type, found.title, found.status) == ("/problems/x", "Gone", 503)
    assert found.members["trace_id"] == "a1"


def test_a_problem_without_members_has_the_defaults_of_the_rfc() -> None:
    assert Problem({}).type == "about:blank"
    assert Problem({}).title is None
    assert Problem({}).status is None


def test_members_of_the_wrong_type_are_as_if_absent() -> None:
    wrong = Problem({"type": None, "title": 7, "status": "503"})
    assert wrong.type == "about:blank"
    assert wrong.title is None
    assert wrong.status == "503", "its value is judged, so it has to be seen as it is"


@pytest.mark.parametrize(
    "body",
    [b"", b"Service Unavailable", b"[]", b'"x"', b"null", b'{"a"', b"\xff\xfe", b"[" * 100_000],
)
def test_what_is_no_json_object_is_no_problem(body: bytes) -> None:
    assert answer(500, body=body).problem() is None


@given(st.binary(max_size=200))
def test_no_body_whatever_breaks_the_reading_of_it(body: bytes) -> None:
    found = answer(500, body=body).problem()
    assert found is None or isinstance(json.loads(body), dict)


# -- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, False),
        (204, False),
        (299, False),
        (302, False),
        (399, False),
        (400, True),
        (503, True),
    ],
)
def test_every_whole_answer_from_400_on_is_an_error(status: int, error: bool) -> None:
    assert answer(status).is_error is error


def test_the_service_is_answerable_for_what_is_not_forgiven() -> None:
    late = replace(answer(elapsed=ms(500)), forgiven=ms(300))
    assert (late.took, late.elapsed) == (ms(200), ms(500))
    assert Latencies.of([late, answer(elapsed=ms(7))]).samples == (ms(200), ms(7))


@pytest.mark.parametrize("ending", [one for one in Completion if one is not Completion.ANSWERED])
def test_what_was_not_answered_is_no_error_and_no_success(ending: Completion) -> None:
    seen = no_answer(ending)
    assert not seen.is_error
    assert not seen.succeeded
    assert seen.describe() == f"list: {ending.value} after 5 ms"


def test_an_answer_tells_when_it_was_complete_and_what_it_was() -> None:
    seen = answer(503, started=10.0, elapsed=ms(250))
    assert seen.finished == 10.25
    assert seen.describe() == "list: status 503 after 250 ms"
    late = replace(seen, forgiven=ms(50))
    assert late.describe() == "list: status 503 after 250 ms (50 ms of it forgiven)"


def test_the_body_is_kept_out_of_the_repr() -> None:
    assert "hidden" not in repr(answer(500, body=b"hidden"))


def test_headers_are_found_whatever_their_case_the_first_of_them() -> None:
    seen = answer(headers={"Retry-After": "1", "retry-after": "2"})
    assert seen.header("RETRY-AFTER") == "1"
    assert seen.header("Age") is None


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("application/problem+json", "application/problem+json"),
        ("Application/Problem+JSON; charset=utf-8", "application/problem+json"),
        (" text/html ;q=1", "text/html"),
    ],
)
def test_the_media_type_is_without_parameters_and_in_lower_case(
    header: str, media_type: str
) -> None:
    assert answer(headers={"content-type": header}).media_type == media_type
    assert answer().media_type is None


def test_a_history_s_last_answer_is_the_latest() -> None:
    first, second = timed(1, 2)
    assert History((first, second), accepted=True, elapsed=timedelta(1)).last is second


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, []),
        (8, ["0", "1", "2", "3", "4", "5", "6", "7"]),
        (9, ["0", "1", "2", "3", "… 2 more …", "6", "7", "8"]),
        (100, ["0", "1", "2", "3", "… 93 more …", "97", "98", "99"]),
    ],
)
def test_a_long_recovery_is_told_by_its_first_and_last_rounds(
    count: int, expected: list[str]
) -> None:
    recovery = Recovery(False, seconds(1), tuple(map(str, range(count))))
    assert list(recovery.timeline) == expected


@pytest.mark.parametrize(
    ("recovery", "outcome"),
    [
        (Recovery(True, seconds(3), ("late", "steady")), "only after 3.00 s"),
        (Recovery(False, seconds(3), ("early", "/x: 503")), "not even after 3.00 s (/x: 503)"),
        (Recovery(False, seconds(3), ()), "not even after 3.00 s"),
    ],
)
def test_an_outcome_tells_what_was_wrong_last(recovery: Recovery, outcome: str) -> None:
    assert recovery.outcome == outcome
