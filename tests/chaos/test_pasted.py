"""A schedule that a search would print fails on the broken service, and passes on a sound one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BROKEN = {
    "done_after_a_conflict": "No acknowledged write is lost.",
    "another_key_after_a_conflict": "The same key again completes the write once.",
    "compensation_that_may_fail": "A write that was refused left nothing behind.",
    "ends_after_two_kinds": "The process ended with exit code 3.",
}


def outcome(service: str, schedule: str) -> tuple[int, str]:
    """The exit code and the output of a run of its own."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0"),
            "tests/chaos/pasted.py",
            f"--brownout-service=tests.chaos.declared:{service}",
        ],
        cwd=ROOT,
        env={**os.environ, "SCHEDULE": schedule},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return run.returncode, run.stdout


@pytest.mark.parametrize("service", BROKEN)
def test_a_service_that_several_faults_break_is_caught(service: str) -> None:
    code, output = outcome(service, service)
    assert code == 1, output
    assert BROKEN[service] in output


@pytest.mark.parametrize("schedule", BROKEN)
def test_a_sound_service_survives_the_same(schedule: str) -> None:
    code, output = outcome("sound", schedule)
    assert code == 0, output
