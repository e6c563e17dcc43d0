"""Each example keeps what a few trials show: `make test`. The others are for `make examples`."""

from pathlib import Path

import pytest

from examples.judging import EXAMPLES, Judged, judged, prepared

TRIALS = (
    "steady",
    "mistakes",
    "outage",
    "black_hole",
    "starting_up",
    "terminated_backends",
    "restart",
    "switchover",
    "conflict",
    "lost_commit",
    "failing_once",
)
"""Short ones, whose promises are of statuses and of times with much room. Those of a crowd, and
those that compare times closely, need a machine that does nothing else."""

LIMIT = 900  # seconds; far more than it takes, even where other programs keep the machine busy


def in_a_few_trials(folder: Path) -> Judged:
    """Judge by `TRIALS`. Where a busy machine, and nothing else, left something unknown, that is
    judged once more, with no trial beside it: a second unknown fails the test, since a machine that
    is never free shows nothing, and an example that was not judged is not kept."""
    first = judged(folder, "--only", ",".join(TRIALS), "--replicas", "2", limit=LIMIT)
    assert len(first.having("kept")) >= 30, first.printed
    again = first.to_ask_again()
    if not again:
        return first
    return judged(folder, "--only", ",".join(sorted(again)), "--replicas", "1", limit=LIMIT)


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_promise_is_kept_that_a_few_trials_show(name: str, tmp_path: Path) -> None:
    seen = in_a_few_trials(prepared(name, tmp_path))
    assert seen.having("broken") | seen.having("unknown") == set(), seen.printed
    assert seen.report["exit_code"] == 0, seen.printed


@pytest.mark.timeout(2400)
def test_a_defect_is_found(tmp_path: Path) -> None:
    """The pool keeps its sessions to a server that was demoted: one line is without effect."""
    folder = prepared("fastapi_sqlalchemy", tmp_path)
    source = folder / "shop.py"
    text = source.read_text("utf-8")
    line = "context.is_disconnect = True\n"
    assert text.count(line) == 1
    source.write_text(text.replace(line, "context.is_disconnect = False\n"), "utf-8")
    seen = in_a_few_trials(folder)
    assert seen.having("broken") == {"V7"}, seen.printed


BUSY = "The service was late. Judge it on a machine that is less busy, or with --replicas 1."
UNFELT = "Outage() was in force, and it hit nothing."


def said(**tests: str) -> Judged:
    """What the gate says of the tests of some promises: a verdict, or why that is unknown."""
    verdicts = {
        name: word if word in {"kept", "broken"} else "unknown" for name, word in tests.items()
    }
    return Judged(
        "",
        {
            "behaviours": [{"id": name, "verdict": one} for name, one in verdicts.items()],
            "tests": [
                {
                    "verdicts": {name: verdicts[name]},
                    "troubles": [] if word == "kept" else [{"text": word}],
                    "reproduce": f"brownout gate --only {name}/outage",
                }
                for name, word in tests.items()
            ],
        },
    )


def test_only_what_a_busy_machine_left_unknown_is_asked_again() -> None:
    assert said(H1="kept", T1=BUSY, T6=BUSY).to_ask_again() == {"T1/outage", "T6/outage"}
    assert said(H1="kept").to_ask_again() == set()
    assert said(T1=BUSY, E5=UNFELT).to_ask_again() == set()
    assert said(T1=BUSY, V1="broken").to_ask_again() == set()
