"""The service's log is kept beside the report, without the database's password."""

import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from brownout import ServiceNotReady, seconds
from brownout.login import Address, Login
from brownout.service import RunningService
from tests.core.made import service

TINY = str(Path(__file__).parents[1] / "core" / "tiny.py")
PASSWORD = "pass/word+1"  # noqa: S105 - it opens nothing
LOGIN = Login(Address("127.0.0.1", 5433), "shop_db", "shop_role", PASSWORD)

Running = Callable[..., RunningService]


def tiny(*words: str) -> list[str]:
    return [sys.executable, "-S", TINY, *words]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "report" / "service.log"


@pytest.fixture
def run(tmp_path: Path, kept: Path) -> Iterator[Running]:
    made: list[RunningService] = []

    def make(*words: str, **fields: Any) -> RunningService:
        one = RunningService(
            service(command=tiny(*words), **fields),
            LOGIN,
            folder=tmp_path,
            environment={},
            announce=lambda _: None,
            start_timeout=seconds(20),
            kept=kept,
        )
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()


def test_it_is_kept_masked_and_for_its_user_alone(run: Running, kept: Path) -> None:
    one = run("show", "{port}", "URL", "WORD", env={"URL": "{dsn}", "WORD": "{database_password}"})
    one.start()
    one.restart()
    first = kept.read_text("utf-8")
    shown = "URL=postgresql://⟨dsn.user⟩:********@⟨dsn.address⟩/⟨dsn.database⟩\nWORD=********\n"
    assert first.startswith(shown)
    one.stop()
    last = kept.read_text("utf-8")
    assert last.startswith(first)
    assert last.count("URL=") == 2
    for secret in (PASSWORD, quote(PASSWORD, safe="")):
        assert secret not in last
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_what_a_service_said_that_did_not_start_is_kept_too(run: Running, kept: Path) -> None:
    one = run("end", "3", "no such table")
    with pytest.raises(ServiceNotReady) as refusal:
        one.start()
    assert f"Last log lines (all of it will be in {kept.parent}):" in refusal.value.cause
    assert kept.read_text("utf-8") == "no such table\n"


def test_what_a_preparation_said_that_failed_is_kept_too(run: Running, kept: Path) -> None:
    one = run("serve", "{port}", prepare=[tiny("end", "3", "no such database")])
    with pytest.raises(ServiceNotReady):
        one.start()
    assert kept.read_text("utf-8") == "no such database\n"


def test_a_declared_file_is_kept_with_the_output(run: Running, kept: Path, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text(f"connecting with {PASSWORD}\n", "utf-8")
    one = run("serve", "{port}", log=log)
    one.start()
    one.stop()
    up, own = kept.read_text("utf-8").splitlines()
    assert up.startswith("up ")
    assert own == "connecting with ********"


def test_a_folder_that_cannot_be_written_does_not_keep_it_from_stopping(
    run: Running, kept: Path
) -> None:
    kept.parent.write_text("a file is in the way", "utf-8")
    one = run("serve", "{port}")
    one.start()
    one.stop()
    assert not one.running
