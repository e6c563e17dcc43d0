"""A verdict does not depend on which trials were made before."""

import re
from pathlib import Path

import pytest

from tests.controls.catalogue import CONTROLS
from tests.frame.gates import Gate

# Bursts, crowds and ended sessions, and what they could spoil for others.
TRIALS = [
    "steady",
    "outage",
    "restart",
    "crowd",
    "stampede",
    "full_pool",
    "one_by_one",
    "hang_ups",
    "no_free_slots",
    "side_by_side",
    "back_at_baseline",
]
LEAKING = CONTROLS["leak_when_the_caller_goes"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("service", "breaks"),
    [
        ("tests.trial.declared:sound", frozenset()),
        # Its pool is empty after the hang-ups, so the service does not come back from them either.
        (f"tests.controls.declared:{LEAKING.name}", LEAKING.breaks | {"V2"}),
    ],
)
def test_in_reversed_order_the_verdicts_are_the_same(
    tmp_path: Path, service: str, breaks: frozenset[str]
) -> None:
    only = f"--only={','.join(TRIALS)}"
    words = [f"--service={service}", only, "-p", "tests.frame.reversed_order"]
    with Gate(tmp_path, "--replicas=1", *words) as gate:
        code, said = gate.end()
        verdicts = {one["id"]: one["verdict"] for one in gate.document()["behaviours"]}
    made = re.findall(r"^ *(\w+) +begins ", said, re.MULTILINE)
    assert sorted(made) == sorted(TRIALS)
    assert made.index("back_at_baseline") < made.index("side_by_side")
    assert {one for one, verdict in verdicts.items() if verdict == "broken"} == breaks, said
    # E10 asks for a member that their errors lack.
    assert set(verdicts.values()) <= {"kept", "broken", "not assessed"}, said
    assert code == bool(breaks)
