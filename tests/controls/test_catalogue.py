"""The catalogue of controls is complete: a control breaks every promise that the suites judge."""

import re

import pytest

from tests.controls.catalogue import CONTROLS
from tests.controls.chain import ROOT
from tests.controls.control import Base, Control
from tests.controls.part import part_of

MARK = re.compile(r'@pytest\.mark\.behaviour\("(\w+)"')


def judged_by_the_suites() -> set[str]:
    """Return every behaviour that marks a test of the suites."""
    modules = (ROOT / "suites").glob("test_*.py")
    return {found for module in modules for found in MARK.findall(module.read_text("utf-8"))}


def test_every_behaviour_that_the_suites_judge_is_broken_by_a_control() -> None:
    """A new behaviour needs a control that breaks it."""
    broken = {behaviour for control in CONTROLS.values() for behaviour in control.breaks}
    assert judged_by_the_suites() - broken == set()


def test_every_behaviour_is_kept_by_a_kiosk_without_its_defect() -> None:
    """The defect breaks the promise, not the service around it."""
    kept = {
        behaviour
        for control in CONTROLS.values()
        if control.base is Base.KIOSK
        for behaviour in control.judged_by - control.breaks - control.unknown
    }
    assert judged_by_the_suites() - kept == set()


@pytest.mark.parametrize("control", CONTROLS.values(), ids=CONTROLS)
def test_the_defects_of_a_control_break_different_promises(control: Control) -> None:
    """Each defect is judged by its own promises; any control that does not recover breaks V1."""
    broken = [behaviour for defect in control.defects for behaviour in defect.breaks]
    assert control.name.endswith("_bundle") is (len(control.defects) > 1)
    assert len(broken) == len(set(broken))
    assert control.breaks - control.judged_by <= {"V1"}
    assert control.tolerated <= control.breaks
    for defect in control.defects:
        assert len(defect.breaks) <= 1 or defect.because


PARTS = [part_of(CONTROLS.values(), str(number)) for number in range(100)]


@pytest.mark.parametrize("part", PARTS[:10])
def test_a_part_of_the_controls_breaks_every_promise(part: frozenset[str]) -> None:
    """About half of them are enough for that."""
    broken = [CONTROLS[name].breaks for name in part]
    assert frozenset().union(*broken) == judged_by_the_suites()
    assert len(part) < len(CONTROLS) * 2 / 3


def test_each_control_is_in_some_part() -> None:
    assert frozenset().union(*PARTS) == set(CONTROLS)
    assert part_of(CONTROLS.values(), "0") == PARTS[0]
