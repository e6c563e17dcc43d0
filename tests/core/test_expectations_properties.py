"""Judgements hold for every history, not only for those that somebody thought of."""

import json
from collections.abc import Callable
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from brownout import Answer, BrownoutError, Completion, ContractViolation, ms
from brownout.expectations import (
    expect_acknowledged_applied,
    expect_all_within,
    expect_at_most_failures,
    expect_near_baseline,
    expect_none_doubled,
    expect_valid_retry_after,
    expect_whole_answers,
)
from brownout.observations import SAMPLES, Latencies
from tests.core.made import WRITE, answer, no_answer, problem

STATUSES = st.sampled_from([200, 201, 400, 409, 408, 500, 502, 503, 504])
ENDINGS = st.sampled_from([one for one in Completion if one is not Completion.ANSWERED])
TOKENS = st.sampled_from("abcdef")


@st.composite
def written(draw: st.DrawFn) -> Answer:
    """Some answer to a write."""
    token = draw(TOKENS)
    if draw(st.booleans()):
        return answer(draw(STATUSES), operation=WRITE, token=token)
    return no_answer(draw(ENDINGS), operation=WRITE, token=token)


HISTORIES = st.lists(written(), max_size=12)
APPLIED = st.dictionaries(TOKENS, st.integers(0, 3))


def verdict(judgement: Callable[[], None]) -> str:
    """In one word, as the plugin would have it."""
    try:
        judgement()
    except ContractViolation as violation:
        json.dumps(violation.violation.to_json())  # it travels in pytest's report
        return "broken" if len(violation.violation.timeline) <= 8 else "endless"
    except BrownoutError:
        return "unknown"
    return "kept"


@given(HISTORIES, APPLIED)
def test_a_write_is_lost_exactly_where_it_was_acknowledged_and_is_not_there(
    answers: list[Answer], applied: dict[str, int]
) -> None:
    acknowledged = {one.token for one in answers if one.status in {200, 201}}
    lost = {token for token in acknowledged if applied.get(token, 0) == 0}
    expected = "broken" if lost else "kept" if acknowledged else "unknown"
    assert verdict(partial(expect_acknowledged_applied, answers, applied)) == expected


@given(HISTORIES, APPLIED)
def test_a_write_is_doubled_exactly_where_it_is_there_more_than_once(
    answers: list[Answer], applied: dict[str, int]
) -> None:
    counts = [applied.get(one.token, 0) for one in answers]
    expected = "broken" if any(n > 1 for n in counts) else "kept" if any(counts) else "unknown"
    assert verdict(partial(expect_none_doubled, answers, applied)) == expected


@given(HISTORIES, st.integers(0, 12))
def test_failures_are_counted_whatever_they_are(answers: list[Answer], limit: int) -> None:
    failures = sum(one.status not in {200, 201} for one in answers)
    expected = "unknown" if not answers else "kept" if failures <= limit else "broken"
    assert verdict(partial(expect_at_most_failures, answers, limit)) == expected


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=30), st.integers(1, 2000))
def test_one_late_answer_among_many_is_enough(times: list[int], limit: int) -> None:
    answers = [answer(elapsed=ms(one)) for one in times]
    expected = "kept" if max(times) <= limit else "broken"
    assert verdict(partial(expect_all_within, answers, ms(limit))) == expected


@given(st.integers(0, 450), st.integers(0, 12))
def test_a_p99_is_too_late_exactly_where_more_than_one_in_a_hundred_is(
    count: int, late: int
) -> None:
    late = min(late, count)
    seen = Latencies((ms(1),) * (count - late) + (ms(900),) * late)
    if count >= SAMPLES:
        expected = "broken" if late * 100 > count else "kept"
    else:
        enough = count >= SAMPLES // 2 and not late
        expected = "broken" if late > SAMPLES // 100 else "kept" if enough else "unknown"
    judgement = partial(expect_near_baseline, seen, ceiling=ms(100), what="Liveness")
    assert verdict(judgement) == expected


@given(st.integers(0, 10**9))
def test_every_whole_number_of_seconds_is_a_valid_retry_after(value: int) -> None:
    expect_valid_retry_after([problem(503, headers={"Retry-After": str(value)})])


@given(st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{1,6} \S+"))
def test_no_retry_after_whatever_breaks_the_judgement(value: str) -> None:
    refusal = problem(503, headers={"Retry-After": value})
    assert verdict(partial(expect_valid_retry_after, [refusal])) in {"kept", "broken"}


@given(
    st.lists(st.fixed_dictionaries({"id": st.integers(), "sku": st.text()}), min_size=1),
    st.data(),
)
def test_a_body_that_breaks_off_anywhere_is_rejected(
    rows: list[dict[str, object]], data: st.DataObject
) -> None:
    whole = answer(json=rows)
    kept = data.draw(st.integers(0, len(whole.body) - 1))
    torn = answer(body=whole.body[:kept])
    assert verdict(partial(expect_whole_answers, [whole], like=[whole, whole])) == "kept"
    assert verdict(partial(expect_whole_answers, [whole, torn], like=[whole, whole])) == "broken"
