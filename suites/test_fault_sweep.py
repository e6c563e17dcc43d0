"""Each step of each operation's conversation with the database is broken once.

Made only where it is asked for: `brownout gate --sweep 120`, or `--only sweep/place-order/COMMIT`.
"""

import pytest

from brownout import NotAssessable
from brownout.expectations import (
    expect_all_succeed,
    expect_all_within,
    expect_each_case,
    expect_error_media_type,
    expect_exactly_once_with_key,
    expect_honest_refusal,
    expect_invariant_kept,
    expect_next_callers_served,
    expect_no_leak,
    expect_no_open_transaction,
    expect_process_alive,
    expect_recovered_from_case,
    expect_sessions_within,
    expect_told_as_it_is,
    expect_valid_bodies,
    expect_whole_answer,
    expect_written_at_most_once,
    expect_written_if_acknowledged,
)
from brownout.trial import CaseTry, Recording
from brownout.trial.plan import SWEEP


def _error(seen: CaseTry) -> CaseTry:
    if not seen.answer.is_error:
        raise NotAssessable("No request failed, so there is no error to judge.")
    return seen


@pytest.mark.behaviour("T1")
@pytest.mark.trials(*SWEEP)
def test_each_request_is_answered_within_its_deadline(brownout_recording: Recording) -> None:
    """Whichever step fails, is lost, or is silent."""
    latest = brownout_recording.declared.budget.latest
    expect_each_case(brownout_recording, lambda seen: expect_all_within([seen.answer], latest))


@pytest.mark.behaviour("E1")
@pytest.mark.trials(*SWEEP)
def test_each_error_has_the_media_type(brownout_recording: Recording) -> None:
    """Whatever the driver raised, and from wherever."""
    errors = brownout_recording.declared.errors
    expect_each_case(
        brownout_recording, lambda seen: expect_error_media_type([_error(seen).answer], errors)
    )


@pytest.mark.behaviour("E4")
@pytest.mark.trials(*SWEEP)
def test_each_error_fits_the_schema(brownout_recording: Recording) -> None:
    """An unhandled 500 included."""
    errors = brownout_recording.declared.errors
    expect_each_case(
        brownout_recording, lambda seen: expect_valid_bodies([_error(seen).answer], errors)
    )


@pytest.mark.behaviour("E5")
@pytest.mark.trials(*SWEEP)
def test_a_lost_connection_is_reported_as_503_or_504(brownout_recording: Recording) -> None:
    """At whichever step it is lost."""
    service = brownout_recording.declared
    expect_each_case(brownout_recording, lambda seen: expect_honest_refusal(seen, service))


@pytest.mark.behaviour("E8")
@pytest.mark.trials(*SWEEP)
def test_no_answer_breaks_off(brownout_recording: Recording) -> None:
    """Nor passes a part of the rows for the whole."""
    service = brownout_recording.declared
    expect_each_case(brownout_recording, lambda seen: expect_whole_answer(seen, service))


@pytest.mark.behaviour("Z1")
@pytest.mark.trials(*SWEEP)
def test_no_answer_gives_the_insides_away(brownout_recording: Recording) -> None:
    """Each kind of failure may have its own way to the caller."""
    states, own = brownout_recording.trial.sqlstates, brownout_recording.address
    expect_each_case(
        brownout_recording,
        lambda seen: expect_no_leak(
            [seen.answer],
            sqlstates=states,
            own=own,
            usual={seen.answer.operation: [*seen.following[-1:], *seen.together]},
        ),
    )


@pytest.mark.behaviour("C1")
@pytest.mark.trials(*SWEEP)
def test_an_acknowledged_write_is_there(brownout_recording: Recording) -> None:
    """Although a step of it failed."""
    expect_each_case(brownout_recording, expect_written_if_acknowledged, certain=True)


@pytest.mark.behaviour("C3")
@pytest.mark.trials(*SWEEP)
def test_a_write_that_was_sent_once_is_there_at_most_once(brownout_recording: Recording) -> None:
    """Whatever repeats it is in the service."""
    expect_each_case(brownout_recording, expect_written_at_most_once, certain=True)


@pytest.mark.behaviour("C4")
@pytest.mark.trials(*SWEEP)
def test_a_write_that_was_refused_is_not_there(brownout_recording: Recording) -> None:
    """Where the server refused one of its statements."""
    expect_each_case(
        brownout_recording, lambda seen: expect_told_as_it_is(seen, refused=True), certain=True
    )


@pytest.mark.behaviour("C5")
@pytest.mark.trials(*SWEEP)
def test_a_write_of_unknown_fate_is_not_reported_as_not_saved(
    brownout_recording: Recording,
) -> None:
    """Where its connection was lost, or silent."""
    expect_each_case(
        brownout_recording, lambda seen: expect_told_as_it_is(seen, refused=False), certain=True
    )


@pytest.mark.behaviour("C6")
@pytest.mark.trials(*SWEEP)
def test_the_same_key_again_completes_the_write_once(brownout_recording: Recording) -> None:
    """Two callers repeat it at once, and then one."""
    expect_each_case(brownout_recording, expect_exactly_once_with_key)


@pytest.mark.behaviour("C7")
@pytest.mark.trials(*SWEEP)
def test_the_invariant_holds_after_each_case(brownout_recording: Recording) -> None:
    """All of a write is there, or nothing of it."""
    expect_each_case(brownout_recording, expect_invariant_kept, certain=True)


@pytest.mark.behaviour("P1")
@pytest.mark.trials(*SWEEP)
def test_connections_stay_within_the_pool_after_each_case(brownout_recording: Recording) -> None:
    """None is opened beside one that was forgotten."""
    service = brownout_recording.declared
    expect_each_case(brownout_recording, lambda seen: expect_sessions_within(seen, service))


@pytest.mark.behaviour("P4")
@pytest.mark.trials(*SWEEP)
def test_the_next_caller_of_each_connection_is_served(brownout_recording: Recording) -> None:
    """As many side by side as before the case."""
    service = brownout_recording.declared
    expect_each_case(brownout_recording, lambda seen: expect_next_callers_served(seen, service))


@pytest.mark.behaviour("P5")
@pytest.mark.trials(*SWEEP)
def test_no_case_leaves_a_transaction_open(brownout_recording: Recording) -> None:
    """Nor waits longer than D to end it."""
    service = brownout_recording.declared
    expect_each_case(brownout_recording, lambda seen: expect_no_open_transaction(seen, service))


@pytest.mark.behaviour("V2")
@pytest.mark.trials(*SWEEP)
def test_the_service_recovers_from_each_case(brownout_recording: Recording) -> None:
    """By itself, within its recovery time."""
    expect_each_case(brownout_recording, expect_recovered_from_case)


@pytest.mark.behaviour("H1")
@pytest.mark.trials(*SWEEP)
def test_liveness_answers_in_each_case(brownout_recording: Recording) -> None:
    """While the request that was hit is under way."""
    brownout_recording.declared.health.required_live()

    def judge(seen: CaseTry) -> None:
        expect_all_succeed([] if seen.live is None else [seen.live])

    expect_each_case(brownout_recording, judge)


@pytest.mark.behaviour("S6")
@pytest.mark.trials(*SWEEP)
def test_no_case_ends_the_process(brownout_recording: Recording) -> None:
    """The case in which it ended is named."""
    expect_process_alive(brownout_recording)
