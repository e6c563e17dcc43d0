"""`brownout doctor` starts what a gate needs, and says what is in its way."""

import resource
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from brownout.cli import machine, main
from brownout.cli.arguments import resolved
from brownout.settings.options import OPTIONS
from tests.backends.installations import debian

pytestmark = pytest.mark.timeout(120)

Said = pytest.CaptureFixture[str]


class Usage(NamedTuple):
    """As shutil has it."""

    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No option is set, and no Docker engine answers."""
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")


def rows(page: str) -> dict[str, str]:
    """Each look's state, by its name."""
    heads = [line for line in page.splitlines() if line[:6].strip() and line[6:22].strip()]
    return {line[6:22].strip(): line[:6].strip() for line in heads if line[22:]}


def test_a_machine_with_all_that_a_gate_needs(capsys: Said) -> None:
    assert main(["doctor"]) == 0

    page = capsys.readouterr().out
    seen = rows(page)
    assert seen["PostgreSQL"] == seen["engine"] == seen["ports"] == "ok"
    assert seen["Docker"] == "note"
    assert (
        "Needed by --brownout-backend=docker, and by a declaration with `image`; otherwise it may "
        "be missing." in " ".join(page.split())
    )
    assert "programs in" in page
    assert page.endswith("nothing is in the way of `brownout gate` — exit 0\n")


def test_the_postgresql_that_is_named_is_the_one_that_is_started(capsys: Said) -> None:
    folder = debian()

    assert main(["doctor", f"--pg-bin={folder}"]) == 0
    assert f"programs in {folder}" in " ".join(capsys.readouterr().out.split())


def test_a_postgresql_that_does_not_start_is_in_the_way(capsys: Said, tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho libpq is missing >&2; exit 127\n")
        (tmp_path / name).chmod(0o755)

    assert main(["doctor", f"--pg-bin={tmp_path}"]) == 2

    page = capsys.readouterr().out
    assert rows(page)["PostgreSQL"] == "BAD"
    assert "The given PostgreSQL cannot be used." in " ".join(page.split())
    assert page.endswith("1 in the way of `brownout gate` — exit 2\n")


def test_docker_is_in_the_way_where_it_is_asked_for(capsys: Said) -> None:
    assert main(["doctor", "--backend=docker"]) == 2

    seen = rows(capsys.readouterr().out)
    assert seen["Docker"] == seen["PostgreSQL"] == "BAD"
    assert seen["engine"] == "ok"


def test_too_few_open_files_are_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))

    row = machine._open_files()

    assert row.state is machine.State.BAD
    assert "256 at once, at most unlimited" in row.seen
    assert "ulimit -n" in row.remedy


@pytest.mark.parametrize(
    ("free", "state"), [(64 << 20, machine.State.NOTE), (1 << 30, machine.State.OK)]
)
def test_little_shared_memory_is_told_as_slow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, state: machine.State
) -> None:
    monkeypatch.setattr(machine, "_SHARED", tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free, 0, free))

    row = machine._shared_memory(resolved({}, tmp_path))

    assert row.state is state
    assert ("--shm-size" in row.remedy) == (state is machine.State.NOTE)


def test_a_wrong_option_is_told_at_once(capsys: Said) -> None:
    assert main(["doctor", "--backend=dcoker"]) == 2
    assert "Did you mean 'docker'?" in capsys.readouterr().err
