"""Gives made-up recordings to the suites' own tests."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from brownout import ContractViolation, NotAssessable
from brownout.trial import Recording, Trial

__all__ = ["verdicts"]

_SUITES = Path(__file__).parents[2] / "suites"


def _judges(trial: Trial) -> Iterator[tuple[str, Callable[[Recording], None]]]:
    """The tests that judge on this trial, each with its promise."""
    for path in sorted(_SUITES.glob("test_*.py")):
        for name, test in vars(import_module(f"suites.{path.stem}")).items():
            marks: dict[str, Any] = {one.name: one for one in getattr(test, "pytestmark", ())}
            if name.startswith("test_") and trial in marks["trials"].args:
                yield marks["behaviour"].args[0], test


def verdicts(recording: Recording, *promises: str) -> dict[str, str]:
    """What the suites say of these promises on this recording, as the worst of their tests says:
    "broken", "kept", "not assessed", or "not judged" where none has the trial."""
    found = dict.fromkeys(promises, "not judged")
    rank = ("not judged", "not assessed", "kept", "broken")
    for promise, judge in _judges(recording.trial):
        if promise in found:
            said = _verdict(judge, recording)
            found[promise] = max(found[promise], said, key=rank.index)
    return found


def _verdict(judge: Callable[[Recording], None], recording: Recording) -> str:
    try:
        judge(recording)
    except ContractViolation:
        return "broken"
    except NotAssessable:
        return "not assessed"
    return "kept"
