"""The suites catch each broken service, by exactly the promises that it breaks."""

import os
from pathlib import Path

import pytest

from tests.controls.catalogue import CONTROLS
from tests.controls.chain import judgement_of
from tests.controls.control import Control
from tests.controls.detection import FOLDER, write_judgement


@pytest.mark.parametrize("control", CONTROLS.values(), ids=CONTROLS)
def test_the_suites_report_exactly_what_the_control_breaks(
    control: Control, tmp_path: Path
) -> None:
    """Run the whole chain on the embedded backend, in a separate process; the verdicts go into the
    matrix where `make detection` asks for one."""
    seen = judgement_of(control, tmp_path)
    if FOLDER in os.environ:
        write_judgement(control, seen, Path(os.environ[FOLDER]))
    assert seen.broken == control.breaks, seen.output
    assert seen.tolerated == control.tolerated, seen.output
    assert seen.unknown == control.unknown, seen.output
    assert seen.not_assessed - control.left_open == control.not_assessed, seen.output
    assert seen.steady is control.steady, seen.output
    assert control.shown_in <= seen.cases, seen.output
    assert seen.exit_code == control.exit_code, seen.output
