"""The catalogue of controls is complete: nothing is judged that was never seen to break."""

import re

import pytest

from tests.controls.catalogue import CONTROLS
from tests.controls.chain import ROOT
from tests.controls.control import Base, Control

MARK = re.compile(r'@pytest\.mark\.behaviour\("(\w+)"')


def judged_by_the_suites() -> set[str]:
    """Every behaviour that a test of the suites is marked with."""
    modules = (ROOT / "suites").glob("test_*.py")
    return {found for module in modules for found in MARK.findall(module.read_text("utf-8"))}


def test_every_behaviour_that_the_suites_judge_is_broken_by_a_control() -> None:
    """A new behaviour comes with the service that breaks it."""
    broken = {behaviour for control in CONTROLS.values() for behaviour in control.breaks}
    assert judged_by_the_suites() - broken == set()


def test_every_behaviour_is_kept_by_the_kiosk_where_no_defect_breaks_it() -> None:
    """What breaks a promise is the defect, and not the service around it."""
    kept = {
        behaviour
        for control in CONTROLS.values()
        if control.base is Base.KIOSK
        for behaviour in control.judged_by - control.breaks - control.unknown
    }
    assert judged_by_the_suites() - kept == set()


@pytest.mark.parametrize("control", CONTROLS.values(), ids=CONTROLS)
def test_the_defects_of_a_control_break_different_promises(control: Control) -> None:
    """Each is judged where it is; a service that does not come back breaks V1 everywhere."""
    broken = [behaviour for defect in control.defects for behaviour in defect.breaks]
    assert len(broken) == len(set(broken))
    assert control.breaks - control.judged_by <= {"V1"}
    assert control.tolerated <= control.breaks
    for defect in control.defects:
        assert len(defect.breaks) <= 1 or defect.because
