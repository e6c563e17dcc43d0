"""Random schedules of requests and faults, and the smallest that break a promise.

Made only where they are asked for: `brownout gate --chaos 20`, or `--only chaos`.
"""

import pytest

from brownout.chaos import CHAOS
from brownout.expectations import expect_no_schedule_breaks
from brownout.trial import Recording


@pytest.mark.behaviour("C1")
@pytest.mark.trials(*CHAOS)
def test_no_schedule_loses_an_acknowledged_write(brownout_recording: Recording) -> None:
    """Its history is the proof."""
    expect_no_schedule_breaks(brownout_recording, "C1")


@pytest.mark.behaviour("C2")
@pytest.mark.trials(*CHAOS)
def test_no_read_goes_back_in_time(brownout_recording: Recording) -> None:
    """Each shows what was acknowledged, or what another one has shown."""
    expect_no_schedule_breaks(brownout_recording, "C2")


@pytest.mark.behaviour("C3")
@pytest.mark.trials(*CHAOS)
def test_no_schedule_doubles_a_write(brownout_recording: Recording) -> None:
    """Each is sent once."""
    expect_no_schedule_breaks(brownout_recording, "C3")


@pytest.mark.behaviour("C4")
@pytest.mark.trials(*CHAOS)
def test_no_write_that_was_refused_is_there_after_a_schedule(
    brownout_recording: Recording,
) -> None:
    """Whatever met it, and in whichever order."""
    expect_no_schedule_breaks(brownout_recording, "C4")


@pytest.mark.behaviour("C6")
@pytest.mark.trials(*CHAOS)
def test_the_same_key_completes_a_write_of_unknown_fate(brownout_recording: Recording) -> None:
    """Once."""
    expect_no_schedule_breaks(brownout_recording, "C6")


@pytest.mark.behaviour("C7")
@pytest.mark.trials(*CHAOS)
def test_no_schedule_breaks_an_invariant(brownout_recording: Recording) -> None:
    """Not even for a moment."""
    expect_no_schedule_breaks(brownout_recording, "C7")


@pytest.mark.behaviour("S6")
@pytest.mark.trials(*CHAOS)
def test_no_schedule_ends_the_process(brownout_recording: Recording) -> None:
    """Nor do two faults in a row."""
    expect_no_schedule_breaks(brownout_recording, "S6")


@pytest.mark.behaviour("V2")
@pytest.mark.trials(*CHAOS)
def test_the_service_recovers_from_each_schedule(brownout_recording: Recording) -> None:
    """By itself, within its recovery time."""
    expect_no_schedule_breaks(brownout_recording, "V2")


@pytest.mark.behaviour("T1")
@pytest.mark.trials(*CHAOS)
def test_requests_end_by_the_deadline_in_each_schedule(brownout_recording: Recording) -> None:
    """Whatever breaks while they are under way."""
    expect_no_schedule_breaks(brownout_recording, "T1")


@pytest.mark.behaviour("P1")
@pytest.mark.trials(*CHAOS)
def test_connections_stay_within_the_pool_after_each_schedule(
    brownout_recording: Recording,
) -> None:
    """None is opened beside one that was forgotten."""
    expect_no_schedule_breaks(brownout_recording, "P1")


@pytest.mark.behaviour("P5")
@pytest.mark.trials(*CHAOS)
def test_no_schedule_leaves_a_transaction_open(brownout_recording: Recording) -> None:
    """Not for longer than D."""
    expect_no_schedule_breaks(brownout_recording, "P5")


@pytest.mark.behaviour("E1")
@pytest.mark.trials(*CHAOS)
def test_every_error_of_a_schedule_has_the_media_type(brownout_recording: Recording) -> None:
    """One fault may hide another."""
    expect_no_schedule_breaks(brownout_recording, "E1")


@pytest.mark.behaviour("E4")
@pytest.mark.trials(*CHAOS)
def test_every_error_of_a_schedule_fits_the_schema(brownout_recording: Recording) -> None:
    """An unhandled 500 included."""
    expect_no_schedule_breaks(brownout_recording, "E4")


@pytest.mark.behaviour("Z1")
@pytest.mark.trials(*CHAOS)
def test_no_error_of_a_schedule_gives_the_insides_away(brownout_recording: Recording) -> None:
    """Nor an error while another one is handled."""
    expect_no_schedule_breaks(brownout_recording, "Z1")
