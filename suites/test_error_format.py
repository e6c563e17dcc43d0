"""One format for every refusal, and nothing leaks."""

import pytest

from brownout import NotAssessable
from brownout.declaration.needs import fallbacks, origins, problems
from brownout.expectations import (
    expect_conflicts_told,
    expect_constant_titles,
    expect_distinct_origins,
    expect_error_media_type,
    expect_found_mistakes_told,
    expect_no_leak,
    expect_origins,
    expect_retry_after,
    expect_status_member,
    expect_unusable_values_told,
    expect_valid_bodies,
    expect_valid_retry_after,
    expect_whole_answers,
)
from brownout.observations import Answer
from brownout.trial import Recording
from brownout.trial.plan import (
    ALWAYS_CUT,
    ALWAYS_ENDED,
    BAD_VALUE,
    BLACK_HOLE,
    BROKEN_ROWS,
    COMMIT_REFUSED,
    CONFLICT,
    DISK_FULL,
    ENDED_IN_USE,
    FALLBACK,
    FOUND_MISTAKES,
    LOCKED_TABLES,
    LONG_OUTAGE,
    LOST_COMMIT,
    MISTAKES,
    NO_FREE_SLOTS,
    ORIGINS,
    OUTAGE,
    OVERLOAD,
    REFUSED_STATEMENTS,
    RESET,
    REVOKED_PERMISSION,
    SILENT_COMMIT,
    SLOW_ROWS,
    SLOW_STATEMENTS,
    STARTING_UP,
)

# Between them they make a service refuse in every way it has: at once, at its deadline, for a lost
# connection, for a session ended in use, for want of a slot, for a lock, with an error that it did
# not foresee; and, writes alone, for a conflict, for an unusable value and for a COMMIT of unknown
# fate.
REFUSING = (OUTAGE, BLACK_HOLE, RESET, ENDED_IN_USE, NO_FREE_SLOTS, LOCKED_TABLES, STARTING_UP,
            REVOKED_PERMISSION, REFUSED_STATEMENTS, CONFLICT, BAD_VALUE, DISK_FULL, COMMIT_REFUSED,
            LOST_COMMIT, SILENT_COMMIT)  # fmt: skip

# What fails only at a later statement, where the answer may be under way already.
LATER = (ALWAYS_ENDED, ALWAYS_CUT)
TOO_SLOW = (SLOW_STATEMENTS, *SLOW_ROWS)


def _errors(recording: Recording) -> list[Answer]:
    """The errors that came as whole answers, without 429: only some limiters are reached by so many
    requests, and they are another part of the service."""
    found = [one for one in recording.met() if one.is_error and one.status != 429]
    if not found:
        raise NotAssessable("No request failed with a whole answer other than 429.")
    return found


def _without_database(recording: Recording) -> tuple[Answer, ...]:
    """What the operations with a degraded answer said while there was no database."""
    noted = recording.noted("degraded", "silent")
    return tuple(one for _, answers in noted for one in answers)


@pytest.mark.behaviour("E1")
@pytest.mark.trials(*REFUSING)
def test_every_error_has_the_declared_media_type(brownout_recording: Recording) -> None:
    """Whatever went wrong."""
    expect_error_media_type(brownout_recording.met(), brownout_recording.declared.errors)


@pytest.mark.behaviour("E2", needs=problems)
@pytest.mark.trials(*REFUSING)
def test_the_body_carries_the_status_of_the_answer(brownout_recording: Recording) -> None:
    """A body that is logged without its headers still tells the truth."""
    expect_status_member(brownout_recording.met(), brownout_recording.declared.errors)


@pytest.mark.behaviour("E2", needs=problems)
@pytest.mark.trials(MISTAKES)
def test_the_body_of_an_error_of_the_framework_carries_its_status(
    brownout_recording: Recording,
) -> None:
    """404, 405 and 422 too."""
    answers = brownout_recording.note("mistakes")
    expect_status_member(answers, brownout_recording.declared.errors)


@pytest.mark.behaviour("E3", needs=problems)
@pytest.mark.trials(*REFUSING, MISTAKES)
def test_a_title_is_constant_for_its_type(brownout_recording: Recording) -> None:
    """What differs from case to case is in other members."""
    answers = (*brownout_recording.met(), *brownout_recording.note("mistakes"))
    expect_constant_titles(answers, brownout_recording.declared.errors)


@pytest.mark.behaviour("E4")
@pytest.mark.trials(*REFUSING)
def test_every_error_validates_against_the_schema(brownout_recording: Recording) -> None:
    """409, 503, 504 and an unhandled 500."""
    expect_valid_bodies(brownout_recording.met(), brownout_recording.declared.errors)


@pytest.mark.behaviour("E1")
@pytest.mark.trials(*LATER, *TOO_SLOW, LONG_OUTAGE)
def test_an_error_that_comes_later_has_the_media_type(brownout_recording: Recording) -> None:
    """At a request's last statement, when its time is over between two, or late in an outage, when
    a breaker has opened."""
    expect_error_media_type(_errors(brownout_recording), brownout_recording.declared.errors)


@pytest.mark.behaviour("E4")
@pytest.mark.trials(*LATER, *TOO_SLOW, LONG_OUTAGE)
def test_an_error_that_comes_later_fits_the_schema(brownout_recording: Recording) -> None:
    """At a request's last statement, when its time is over between two, or late in an outage, when
    a breaker has opened."""
    expect_valid_bodies(_errors(brownout_recording), brownout_recording.declared.errors)


@pytest.mark.behaviour("E1", needs=fallbacks)
@pytest.mark.trials(FALLBACK)
def test_an_error_in_the_place_of_a_degraded_answer_has_the_media_type(
    brownout_recording: Recording,
) -> None:
    """Where there is nothing to fall back on, or it is too old."""
    answers = _without_database(brownout_recording)
    expect_error_media_type(answers, brownout_recording.declared.errors)


@pytest.mark.behaviour("E4", needs=fallbacks)
@pytest.mark.trials(FALLBACK)
def test_an_error_in_the_place_of_a_degraded_answer_fits_the_schema(
    brownout_recording: Recording,
) -> None:
    """Where there is nothing to fall back on, or it is too old."""
    answers = _without_database(brownout_recording)
    expect_valid_bodies(answers, brownout_recording.declared.errors)


@pytest.mark.behaviour("E4")
@pytest.mark.trials(MISTAKES)
def test_errors_of_the_framework_validate_against_the_same_schema(
    brownout_recording: Recording,
) -> None:
    """An unknown path, a wrong method, a malformed body, one of another shape or an empty one."""
    answers, errors = brownout_recording.note("mistakes"), brownout_recording.declared.errors
    expect_error_media_type(answers, errors)
    expect_valid_bodies(answers, errors)


@pytest.mark.behaviour("E6")
@pytest.mark.trials(*REFUSING)
def test_a_refusal_says_when_to_come_back(brownout_recording: Recording) -> None:
    """503 and 429 carry a Retry-After, whatever was the cause."""
    expect_retry_after(brownout_recording.met())


@pytest.mark.behaviour("E6")
@pytest.mark.trials(*LATER, LONG_OUTAGE)
def test_a_refusal_that_comes_later_says_when_to_come_back(brownout_recording: Recording) -> None:
    """At a request's last statement, or late in an outage, when a breaker has opened."""
    expect_retry_after(_errors(brownout_recording))


@pytest.mark.behaviour("E6", level="must")
@pytest.mark.trials(*REFUSING, *LATER, LONG_OUTAGE)
def test_a_retry_after_that_is_there_is_valid(brownout_recording: Recording) -> None:
    """Whole seconds or an HTTP date."""
    expect_valid_retry_after(brownout_recording.met())


@pytest.mark.behaviour("E7")
@pytest.mark.trials(CONFLICT)
def test_a_duplicate_key_is_a_conflict(brownout_recording: Recording) -> None:
    """23505 gives 409: trying again would not help. A write that is accepted twice with the same
    content, with another idempotency key where it has one, has no key that a caller could
    duplicate: there the 409 is not required."""
    expect_conflicts_told(brownout_recording)


@pytest.mark.behaviour("E7")
@pytest.mark.trials(BAD_VALUE)
def test_an_unusable_value_is_the_callers(brownout_recording: Recording) -> None:
    """Class 22 gives 4xx. A write has one where the database refuses a text of its body that is
    made very long; where it does not, the 4xx is not required."""
    expect_unusable_values_told(brownout_recording)


@pytest.mark.behaviour("E7")
@pytest.mark.trials(FOUND_MISTAKES)
def test_a_mistake_that_only_the_database_finds_is_the_callers(
    brownout_recording: Recording,
) -> None:
    """A word in the place of a number, a number out of range, a NUL in a text, or a value that is
    missing: classes 22 and 23 give 4xx."""
    expect_found_mistakes_told(brownout_recording)


@pytest.mark.behaviour("E8")
@pytest.mark.trials(*BROKEN_ROWS, *SLOW_ROWS)
def test_no_answer_breaks_off(brownout_recording: Recording) -> None:
    """Where the database's answer breaks off in the middle of its rows, or the time is over before
    all of them are there, no part of them passes for the whole."""
    for operation, answers in brownout_recording.by_operation():
        expect_whole_answers(answers, like=brownout_recording.whole[operation.name])


@pytest.mark.behaviour("Z1")
@pytest.mark.trials(*REFUSING)
def test_no_error_gives_the_insides_away(brownout_recording: Recording) -> None:
    """No traceback, path, SQL, SQLSTATE, text of the driver, host or DSN, in body or headers."""
    recording = brownout_recording
    states = recording.trial.sqlstates
    expect_no_leak(recording.met(), sqlstates=states, own=recording.address, usual=recording.whole)


@pytest.mark.behaviour("Z1")
@pytest.mark.trials(*LATER)
def test_no_error_of_a_later_statement_gives_the_insides_away(
    brownout_recording: Recording,
) -> None:
    """Where a request fails at its last statement."""
    recording = brownout_recording
    failed = [one for _, answers in recording.answered_each("failing", "load") for one in answers]
    plain = {one.name: answers for one, answers in recording.answered_each("plain")}
    states = recording.trial.sqlstates
    expect_no_leak(failed, sqlstates=states, own=recording.address, usual=plain)


@pytest.mark.behaviour("Z1", needs=fallbacks)
@pytest.mark.trials(FALLBACK)
def test_no_degraded_answer_gives_the_insides_away(brownout_recording: Recording) -> None:
    """Not even to say why it is degraded."""
    answers = _without_database(brownout_recording)
    fresh = {one.name: asked for one, asked in brownout_recording.noted("fresh")}
    expect_no_leak(answers, own=brownout_recording.address, usual=fresh)


@pytest.mark.behaviour("Z1")
@pytest.mark.trials(MISTAKES)
def test_no_answer_to_a_mistake_gives_the_insides_away(brownout_recording: Recording) -> None:
    """The framework's own errors are errors of the service too."""
    expect_no_leak(brownout_recording.note("mistakes"), own=brownout_recording.address)


@pytest.mark.behaviour("E10", needs=origins)
@pytest.mark.trials(*REFUSING, MISTAKES)
def test_an_error_names_where_it_arose(brownout_recording: Recording) -> None:
    """Beside the id that leads to the log."""
    answers = (*brownout_recording.met(), *brownout_recording.note("mistakes"))
    expect_origins(answers, brownout_recording.declared.errors)


@pytest.mark.behaviour("E10")
@pytest.mark.trials(ORIGINS)
def test_a_mistake_has_another_origin_than_an_outage(brownout_recording: Recording) -> None:
    """So a caller sees from the error alone who has to act."""
    mistakes, failures = (brownout_recording.note(one) for one in ("mistakes", "without database"))
    expect_distinct_origins(mistakes, failures, brownout_recording.declared.errors)


@pytest.mark.behaviour("E1")
@pytest.mark.trials(OVERLOAD)
def test_a_refusal_under_overload_has_the_media_type(
    brownout_recording: Recording,
) -> None:
    """The door may be another part of the service than what answers inside."""
    expect_error_media_type(brownout_recording.met(), brownout_recording.declared.errors)


@pytest.mark.behaviour("E4")
@pytest.mark.trials(OVERLOAD)
def test_a_refusal_under_overload_fits_the_schema(
    brownout_recording: Recording,
) -> None:
    """The door may be another part of the service than what answers inside."""
    expect_valid_bodies(brownout_recording.met(), brownout_recording.declared.errors)


@pytest.mark.behaviour("E6")
@pytest.mark.trials(OVERLOAD)
def test_a_refusal_under_overload_says_when_to_come_back(brownout_recording: Recording) -> None:
    """The door may be another part of the service than what answers inside."""
    expect_retry_after(brownout_recording.met())
