"""Folders: promised ones go, those of dead runs go, and nothing else."""

import tempfile
from pathlib import Path

import pytest

from brownout.errors import BrownoutError
from brownout.reaper import Reaper
from brownout.reaper.folders import folder_name, folders_of_dead_runs
from brownout.reaper.run import Run
from tests.backends.waiting import dead_run, until


def test_a_promised_folder_is_removed_with_all_in_it(scratch: Path) -> None:
    with Reaper.start() as reaper:
        folder = reaper.folder_in(scratch, "data")
        (folder / "below").mkdir(parents=True)
        (folder / "below" / "file").touch()

    assert list(scratch.iterdir()) == []


def test_a_temporary_folder_is_for_this_user_alone_and_goes(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with Reaper.start() as reaper:
        folder = reaper.temporary_folder("service")
        assert folder.stat().st_mode & 0o777 == 0o700
        assert reaper.temporary_folder("service") != folder
        assert reaper.run in folder.name
        (folder / "service.log").touch()
    assert list(scratch.iterdir()) == []


def test_no_place_for_temporary_files_is_told(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scratch / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch / "file"))
    with Reaper.start() as reaper, pytest.raises(BrownoutError, match="Not a directory") as raised:
        reaper.temporary_folder("service")
    assert "TMPDIR" in raised.value.remedy


def test_a_promised_folder_that_never_came_is_no_failure(scratch: Path) -> None:
    with Reaper.start() as reaper:
        reaper.remove_folder(scratch / "never")


def test_a_link_is_not_followed_and_told(scratch: Path) -> None:
    (scratch / "kept").mkdir()
    reaper = Reaper.start()
    reaper.folder_in(scratch, "data").symlink_to(scratch / "kept")

    with pytest.raises(BrownoutError, match="could not be removed") as raised:
        reaper.close()

    assert (scratch / "kept").is_dir()
    assert reaper.run in str(raised.value)


def test_a_link_inside_is_removed_and_not_what_it_leads_to(scratch: Path) -> None:
    (scratch / "kept").mkdir()
    with Reaper.start() as reaper:
        folder = reaper.folder_in(scratch, "data")
        folder.mkdir()
        (folder / "link").symlink_to(scratch / "kept")

    assert [path.name for path in scratch.iterdir()] == ["kept"]


def test_folders_of_dead_runs_are_told_from_others(scratch: Path) -> None:
    dead = dead_run()
    for name in (
        folder_name(dead.token, "data"),
        folder_name(Run.current().token, "data"),
        "brownout-cache-0",
        "brownout-1-1-nonsense",
        "other",
    ):
        (scratch / name).mkdir()
    (scratch / folder_name(dead.token, "link")).symlink_to(scratch / "other")

    found = list(folders_of_dead_runs([scratch, scratch / "missing"]))

    assert found == [(dead, scratch / folder_name(dead.token, "data"))]


def test_the_next_start_removes_a_dead_runs_folder() -> None:
    folder = Path(tempfile.gettempdir()) / folder_name(dead_run().token, "data")
    folder.mkdir()
    with Reaper.start():
        assert until(lambda: not folder.exists())


def test_a_running_owners_folder_stays(reaper: Reaper) -> None:
    folder = Path(tempfile.gettempdir()) / folder_name(reaper.run, "data")
    reaper.remove_folder(folder)
    folder.mkdir()
    with Reaper.start():
        pass

    assert folder.is_dir()
