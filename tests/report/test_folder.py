"""What is written into the folder of a run's report."""

import json
from pathlib import Path

import pytest

from brownout.errors import SettingsError
from brownout.report import html
from brownout.report.folder import prepare, read, write, write_readable
from tests.report.runs import case, recorded, run_of


def keep(folder: Path, name: str, text: str) -> None:
    (folder / "recordings").mkdir(exist_ok=True)
    (folder / "recordings" / f"{name}.json").write_text(text, encoding="utf-8")


def test_the_page_shows_the_recordings_of_this_run_alone(tmp_path: Path) -> None:
    document, _ = run_of([case("T1", "outage"), case("T2", "reset")])
    keep(tmp_path, "outage", json.dumps(recorded("seen now")))
    keep(tmp_path, "reset", "{")
    keep(tmp_path, "latency", json.dumps(recorded("seen earlier")))
    write(tmp_path, document)
    write_readable(tmp_path, read(tmp_path))
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "seen now" in text
    assert "seen earlier" not in text
    assert text.count("There is no recording of it beside this page.") == 1


def test_the_page_is_for_this_user_alone_as_the_recordings_are(tmp_path: Path) -> None:
    document, _ = run_of([case("T1", "outage")])
    write(tmp_path, document)
    write_readable(tmp_path, document)
    assert (tmp_path / "index.html").stat().st_mode & 0o777 == 0o600


def test_half_of_a_character_is_written_all_the_same(tmp_path: Path) -> None:
    document, _ = run_of([case("T1", "outage")])
    keep(tmp_path, "outage", json.dumps(recorded("half: \ud83d")))
    write_readable(tmp_path, document)
    assert "half: \\ud83d" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_an_earlier_page_is_removed_before_the_run(tmp_path: Path) -> None:
    for name in ("index.html", "summary.md"):
        (tmp_path / name).write_text("of an earlier run")
    prepare(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_defect_of_the_page_is_told_and_leaves_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, _ = run_of([case("T1", "outage")])
    write(tmp_path, document)
    monkeypatch.setattr(html, "page", lambda *_: 1 / 0)
    with pytest.raises(SettingsError, match=r"cannot be made: ZeroDivisionError") as caught:
        write_readable(tmp_path, document)
    assert "Read brownout.json, which is whole" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["brownout.json"]
