"""The image of a service in a container is there before the clock of its start runs.

A program in the place of Docker's command keeps its image as a file, and notes what it is told.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from brownout import BackendUnavailable, ServiceNotReady, ms
from brownout.trial import replica
from tests.core.made import service
from tests.core.test_runner import LOGIN
from tests.plugin.test_settings import layered

DOCKER = """#!/bin/sh
echo "$1" >>{folder}/told
case $1 in
image) test -e {folder}/image ;;
pull) {pull} ;;
run) test -e {folder}/image || {{ {pull}; }}; exit 7 ;;
esac
"""
SLOW = "sleep 2; touch {folder}/image"
REFUSED = "echo 'denied: log in to registry.example.com' >&2; exit 1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the program `docker` to be written, first in the PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def started(folder: Path, *, pull: str) -> list[str]:
    """Start a service of an image, which ends at once; what Docker was told."""
    program = folder / "docker"
    program.write_text(DOCKER.format(folder=folder, pull=pull.format(folder=folder)))
    program.chmod(0o755)
    declared = service(image="registry.example.com/shop:1.4", command=[], start_timeout=ms(1500))
    reaper = SimpleNamespace(
        remove_containers=lambda: None,
        temporary_folder=lambda _: folder,
        environment={},
        end_session=lambda _: None,
    )
    postgres = SimpleNamespace(
        login=LOGIN, create_extensions=lambda _: None, keep_prepared=lambda: None
    )
    with (
        pytest.raises(ServiceNotReady, match=r"ended before it was ready\. Exit code 7"),
        replica.service(declared, layered(), cast("Any", postgres), cast("Any", reaper), None),
    ):
        pass
    return [one for one in (folder / "told").read_text().split() if one in ("pull", "run")]


def test_an_image_may_take_longer_to_pull_than_a_service_to_start(folder: Path) -> None:
    assert started(folder, pull=SLOW) == ["pull", "run"]


def test_an_image_that_is_there_is_not_pulled(folder: Path) -> None:
    (folder / "image").touch()
    assert started(folder, pull=REFUSED) == ["run"]


def test_an_image_that_cannot_be_had_is_told_with_dockers_words(folder: Path) -> None:
    with pytest.raises(BackendUnavailable) as refused:
        started(folder, pull=REFUSED)
    assert refused.value.cause == (
        "The image registry.example.com/shop:1.4 of the service is not available."
    )
    assert refused.value.tried[1] == (
        "docker pull registry.example.com/shop:1.4: denied: log in to registry.example.com"
    )
    assert "run" not in (folder / "told").read_text()
