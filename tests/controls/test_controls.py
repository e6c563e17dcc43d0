"""The suites catch each broken service, by exactly the promises that it breaks."""

import os
from pathlib import Path

import pytest

from tests.controls.catalogue import CONTROLS
from tests.controls.catalogue.overload import OVERLOADS
from tests.controls.chain import judgement_of
from tests.controls.control import OVERLOAD, Base, Control
from tests.controls.detection import FOLDER, write_judgement
from tests.controls.part import CHOSEN_BY, part_of

PART = part_of(CONTROLS.values(), os.environ[CHOSEN_BY]) if CHOSEN_BY in os.environ else CONTROLS

JUDGED = [
    pytest.param(
        control, id=control.name, marks=[pytest.mark.alone] if control in OVERLOADS else []
    )
    for control in CONTROLS.values()
    if control.name in PART
]


@pytest.mark.parametrize("control", JUDGED)
def test_the_suites_report_exactly_what_the_control_breaks(
    control: Control, tmp_path: Path
) -> None:
    """Run the whole chain on the embedded backend, in a separate process; the verdicts go into the
    matrix where `make detection` asks for one. Of overload, a part may be *not assessed*: the load
    that this process makes is late itself where other programs share the cores."""
    seen = judgement_of(control, tmp_path)
    if FOLDER in os.environ:
        write_judgement(control, seen, Path(os.environ[FOLDER]))
    excused = control.breaks & seen.not_assessed if control in OVERLOADS else frozenset[str]()
    assert seen.broken | excused == control.breaks, seen.output
    assert bool(seen.broken) is bool(control.breaks), seen.output
    assert seen.tolerated == control.tolerated, seen.output
    assert seen.unknown == control.unknown, seen.output
    assert seen.not_assessed - excused - control.left_open == control.not_assessed, seen.output
    assert seen.steady is control.steady, seen.output
    assert control.shown_in <= seen.cases, seen.output
    assert seen.exit_code == control.exit_code, seen.output


BY_LOCUST = ("--brownout-load=locust",)

SOUND = Control(
    module="sound", name="sample_service", defects=(), judged_by=OVERLOAD, base=Base.SHOP
)
"""The sample service as it is, which conftest.py at the root declares."""

LOADED = (
    *(pytest.param(control, BY_LOCUST, id=f"{control.name}-by-locust") for control in OVERLOADS),
    pytest.param(SOUND, (*BY_LOCUST, "--brownout-service="), id="sound-by-locust"),
)


@pytest.mark.alone
@pytest.mark.parametrize(("control", "options"), LOADED)
def test_load_by_locust_has_the_same_verdicts(
    control: Control, options: tuple[str, ...], tmp_path: Path
) -> None:
    """Nothing else is broken than by the built-in generator, and all of that, unless the load was
    late itself: local load workers share the cores with the service."""
    seen = judgement_of(control, tmp_path, options)
    assert seen.broken <= control.breaks, seen.output
    assert control.breaks - seen.broken <= seen.not_assessed, seen.output
    assert bool(seen.broken) is bool(control.breaks), seen.output
    assert seen.not_assessed < control.judged_by, seen.output
    assert not seen.unknown, seen.output
    assert seen.steady, seen.output
