"""A report's folder is one command's at a time, and free again however that ended."""

import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from brownout import cli
from brownout.cli.holding import held
from brownout.errors import SettingsError

HOLDER = """
import subprocess, sys
from pathlib import Path
from brownout.cli.holding import held

with held(Path(sys.argv[1])):
    child = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    sys.stdin.read()
child.kill()
child.wait()
"""


def refused(folder: Path) -> str:
    with pytest.raises(SettingsError) as caught, held(folder):
        pass
    return str(caught.value)


def test_a_folder_is_held_by_one_at_a_time_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "one"
    with held(folder):
        assert "is writing its report into" in refused(folder)
        assert "name another folder with --report" in refused(folder)
        with held(tmp_path / "reports" / "other"):
            pass
    with held(folder):
        assert list(folder.iterdir()) == []


def test_a_folder_is_free_when_its_holder_was_killed_though_its_children_live(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        child = psutil.Process(int(holder.stdout.readline()))
        try:
            assert "is writing its report into" in refused(tmp_path)
            holder.kill()
            holder.wait()
            with held(tmp_path):
                assert child.is_running()
        finally:
            child.kill()


def test_a_file_system_without_locks_is_written_to_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without)
    with held(tmp_path):
        pass


def test_a_disk_that_fails_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", failing)
    assert "cannot be locked: Input/output error." in refused(tmp_path)


@pytest.mark.parametrize("command", ["gate", "watch"])
def test_what_cannot_be_a_folder_is_one_clear_error(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    words = ["--for=1"] if command == "watch" else []
    assert cli.main([command, f"--report={tmp_path / 'file'}", *words]) == 2
    assert "The report cannot be written into" in capsys.readouterr().err


def test_a_watch_leaves_the_report_that_another_is_writing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "brownout.json").write_text("{}")
    with held(tmp_path):
        assert cli.main(["watch", f"--report={tmp_path}", "--for=1"]) == 2
    assert "brownout watch: Another brownout gate or brownout watch" in capsys.readouterr().err
    assert (tmp_path / "brownout.json").read_text() == "{}"
