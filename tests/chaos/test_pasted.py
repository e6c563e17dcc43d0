"""A schedule that a search would print fails on the broken service, and passes on a sound one."""

from collections.abc import Sequence

import pytest

from tests.chaos.runs import outcome

KEY = "The same key again completes the write once."
BACK = "The service recovers after each schedule."
BROKEN = {
    "another_key_after_a_conflict": KEY,
    "breaker_keeps_its_trial": BACK,
    "compensation_that_may_fail": "A write that was refused left nothing behind.",
    "done_after_a_conflict": "No acknowledged write is lost.",
    "ends_after_two_kinds": "The process ended with exit code 3.",
    "forgets_the_key_after_a_conflict": KEY,
    "gives_up_on_connects": "The service has no more connections than it declared.",
    "keeps_keys_unlogged": KEY,
    "looks_it_up_without_a_limit": "Every request ends within",
    "reconnects_for_ever": BACK,
    "remembers_what_is_missing": "No read goes back in time.",
    "repeats_outside_a_transaction": "A write that was refused left nothing behind.",
}
FINDING = ("remembers_what_is_missing",)
"""Those whose sound service finds orders, too."""


@pytest.mark.parametrize("service", BROKEN)
def test_a_service_that_several_faults_break_is_caught(service: str) -> None:
    code, output = outcome("pasted", service, SCHEDULES=service)
    assert code == 1, output
    assert BROKEN[service] in output


@pytest.mark.parametrize(
    ("service", "schedules"),
    [("sound", [one for one in BROKEN if one not in FINDING]), ("finds_orders", FINDING)],
)
def test_a_sound_service_survives_the_same(service: str, schedules: Sequence[str]) -> None:
    code, output = outcome("pasted", service, SCHEDULES=" ".join(schedules))
    assert code == 0, output
    assert f"{len(schedules)} passed" in output
