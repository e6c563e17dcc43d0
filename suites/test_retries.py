"""Repeated attempts: few, spread out, of whole transactions, and never of an unsafe write."""

from functools import partial

import pytest

from brownout.expectations import (
    expect_back_off,
    expect_each,
    expect_few_attempts,
    expect_little_added_load,
    expect_never_repeated,
    expect_one_error_line,
    expect_one_retrying_layer,
    expect_retried,
    expect_retries_in_time,
    expect_unanswered_never_repeated,
    expect_whole_transactions,
)
from brownout.trial import Recording
from brownout.trial.plan import (
    ALWAYS_CUT,
    ALWAYS_ENDED,
    ALWAYS_FAILING,
    FAILING_ONCE,
    UNANSWERED_WRITES,
)


@pytest.mark.behaviour("R1")
@pytest.mark.trials(*ALWAYS_FAILING, ALWAYS_CUT)
def test_a_request_is_attempted_three_times_at_most(brownout_recording: Recording) -> None:
    """Counted on the way to the database, one request at a time."""
    expect_each(brownout_recording.exchanged("failing"), expect_few_attempts)


@pytest.mark.behaviour("R2")
@pytest.mark.trials(*ALWAYS_FAILING)
def test_retries_add_little_load(brownout_recording: Recording) -> None:
    """At most a tenth while every request fails."""
    judge = partial(expect_little_added_load, connections=brownout_recording.declared.connections)
    loads = brownout_recording.exchanged("load")
    expect_each({name: load for name, (load,) in loads.items()}, judge)


@pytest.mark.behaviour("R3")
@pytest.mark.trials(*ALWAYS_FAILING)
def test_attempts_are_spread_out(brownout_recording: Recording) -> None:
    """The pauses between them grow, and differ from request to request. Where sessions end, a
    second attempt at once may be that of a pool that has replaced a connection."""
    judge = partial(expect_back_off, replaced=brownout_recording.trial == ALWAYS_ENDED)
    expect_each(brownout_recording.exchanged("failing"), judge)


@pytest.mark.behaviour("R4")
@pytest.mark.trials(FAILING_ONCE)
def test_a_conflict_between_transactions_is_tried_again(brownout_recording: Recording) -> None:
    """40001 and 40P01 say that the same transaction may succeed; COMMIT says the first as well."""
    conflicts = brownout_recording.exchanged_each("conflict")
    for operation, states in brownout_recording.exchanged_each("commit").items():
        late = {f"{state} at COMMIT": tries for state, tries in states.items()}
        conflicts[operation] = {**conflicts[operation], **late}
    expect_each(conflicts, expect_retried)


@pytest.mark.behaviour("R4")
@pytest.mark.trials(FAILING_ONCE)
def test_an_error_of_the_caller_is_not_tried_again(brownout_recording: Recording) -> None:
    """Classes 22 and 42: it would only fail again."""
    refused = brownout_recording.exchanged_each("refused")

    def judge(operation: str) -> None:
        plain = brownout_recording.exchanges[f"plain {operation}"]
        expect_never_repeated(refused[operation], plain=plain)

    expect_each({operation: operation for operation in refused}, judge)


@pytest.mark.behaviour("R5")
@pytest.mark.trials(FAILING_ONCE)
def test_the_whole_transaction_is_tried_again(brownout_recording: Recording) -> None:
    """A statement alone would meet a transaction that has failed, or miss what came before it."""
    conflicts = {
        (operation, state): tries
        for operation, states in brownout_recording.exchanged_each("conflict").items()
        for state, tries in states.items()
    }

    def judge(conflict: tuple[str, str]) -> None:
        plain = brownout_recording.exchanges[f"plain {conflict[0]}"]
        expect_whole_transactions(conflicts[conflict], plain=plain)

    expect_each({" ".join(conflict): conflict for conflict in conflicts}, judge)


@pytest.mark.behaviour("R6")
@pytest.mark.trials(UNANSWERED_WRITES)
def test_a_write_without_a_key_is_not_repeated_after_its_commit(
    brownout_recording: Recording,
) -> None:
    """It may have been carried out, although no reply came. A repetition that is there once, by an
    id of its own, is not judged."""
    plain, unanswered = map(brownout_recording.exchanged, ("plain", "unanswered"))
    judge = partial(expect_unanswered_never_repeated, applied=brownout_recording.applied)
    expect_each(
        {name: (tries, plain[name]) for name, tries in unanswered.items()},
        lambda both: judge(both[0], plain=both[1]),
    )


@pytest.mark.behaviour("R7")
@pytest.mark.trials(*ALWAYS_FAILING, ALWAYS_CUT)
def test_retries_end_within_the_deadline(brownout_recording: Recording) -> None:
    """The last attempt as well as the answer."""
    latest = brownout_recording.declared.budget.latest
    judge = partial(expect_retries_in_time, latest=latest)
    expect_each(brownout_recording.exchanged("failing"), judge)


@pytest.mark.behaviour("R8")
@pytest.mark.trials(*ALWAYS_FAILING)
def test_one_layer_retries(brownout_recording: Recording) -> None:
    """Layers that retry inside one another multiply their attempts."""
    expect_each(brownout_recording.exchanged("failing"), expect_one_retrying_layer)


@pytest.mark.behaviour("O3")
@pytest.mark.trials(*ALWAYS_FAILING)
def test_a_failed_request_has_one_error_line(brownout_recording: Recording) -> None:
    """Not one for each attempt."""
    expect_each(brownout_recording.exchanged("failing"), expect_one_error_line)
