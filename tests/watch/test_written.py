"""What a watch writes, where some of it cannot be written."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brownout.cli.ending import closed
from brownout.cli.watched import Written
from brownout.report.folder import JUNIT_NAME
from brownout.settings.resolution import Layers, resolve
from brownout.trial.clock import Clock
from brownout.watch import Watched
from brownout.watch.docket import Docket
from brownout.watch.marks import Marks
from brownout.watch.turns import Turns
from tests.core.made import READ, answer, problem, service

DECLARED = service((READ,))


def seen(media_type: str) -> Watched:
    """A watch of a service that refused a request by such an error, and was back."""
    docket = Docket(DECLARED, strict=False)
    turns = Turns(DECLARED, docket, Marks(), Clock(), needing=["list"], settle=0.5, address="")
    moment = time.monotonic() - 10
    refusal = problem(503, media_type=media_type, headers={"Retry-After": "1"})
    turns.take([replace(refusal, started=moment), answer(started=moment + 1)], [], [])
    turns.end({})
    return Watched(docket.cases(met=True), turns.recordings, turns.met)


KEPT, BROKEN = seen("application/problem+json"), seen("text/html")


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """The report of a watch in `tmp_path`."""
    made = Written(tmp_path)
    made.of(
        DECLARED,
        resolve(
            Layers(
                command_line={},
                environment={},
                ini={},
                ini_file=tmp_path / "x.ini",
                invoked_in=tmp_path,
            )
        ),
    )
    return made


def document(folder: Path) -> Any:
    return json.loads((folder / "brownout.json").read_text())


@pytest.mark.parametrize(("watched", "code"), [(KEPT, 2), (BROKEN, 1)], ids=["kept", "broken"])
def test_a_recording_that_cannot_be_written_loses_no_verdict(
    written: Written,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    watched: Watched,
    code: int,
) -> None:
    (tmp_path / "recordings").touch()  # in the way of the folder
    written.so_far(watched)
    assert document(tmp_path)["error"] == "The watch has not ended: this is what it had seen."
    assert capsys.readouterr().err == "", "it is told at the end"
    assert written.whole(watched) == code
    assert capsys.readouterr().err.count("cannot be written") == 1
    assert document(tmp_path)["error"] is None
    assert (tmp_path / "index.html").exists()
    assert written.cut_short("It was interrupted.") == code
    assert document(tmp_path)["error"] == "It was interrupted."


@pytest.mark.parametrize(("watched", "code"), [(KEPT, 2), (BROKEN, 1)], ids=["kept", "broken"])
def test_what_was_judged_counts_although_no_report_can_be_written(
    written: Written,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    watched: Watched,
    code: int,
) -> None:
    tmp_path.joinpath("brownout.json.part").mkdir()  # in the way of the document
    written.so_far(watched)
    assert written.whole(watched) == code
    assert "The report cannot be written into" in capsys.readouterr().err
    assert closed("watch", tmp_path, tmp_path / JUNIT_NAME, code) == code


def test_a_recording_is_written_when_there_is_room_again(written: Written, tmp_path: Path) -> None:
    in_the_way = tmp_path / "recordings"
    in_the_way.touch()
    written.so_far(BROKEN)
    in_the_way.unlink()
    assert written.whole(BROKEN) == 1
    assert {path.name for path in in_the_way.iterdir()} == {"watch.json", "watch_1.json"}
