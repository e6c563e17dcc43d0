"""Each example keeps every promise that is assessed for it: `make examples`."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GATE = [sys.executable, "-c", "import sys, brownout.cli; sys.exit(brownout.cli.main())", "gate"]


def express(folder: Path) -> None:
    """Install what its package.json names."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node.js and npm are needed")
    words = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund"]
    subprocess.run(words, cwd=folder, check=True, timeout=300)


def go_pgx(folder: Path) -> None:
    """Build it with the modules that its go.mod names."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is needed")
    environment = {**os.environ, "GOFLAGS": "-mod=mod"}
    words = [go, "build", "-o", "shop", "."]
    subprocess.run(words, cwd=folder, env=environment, check=True, timeout=300)


def spring_boot(folder: Path) -> None:
    """Build its jar with what its pom.xml names."""
    mvn = shutil.which("mvn")
    if mvn is None or shutil.which("java") is None:
        pytest.skip("Java 17 and Maven are needed")
    subprocess.run([mvn, "-B", "-q", "package"], cwd=folder, check=True, timeout=600)


def nothing(_: Path) -> None:
    """All of it is in this environment."""


PREPARED: dict[str, Callable[[Path], None]] = {
    "fastapi_sqlalchemy": nothing,
    "flask_sqlalchemy": nothing,
    "django_psycopg": nothing,
    "express": express,
    "go_pgx": go_pgx,
    "spring_boot": spring_boot,
}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", PREPARED)
def test_every_promise_is_kept(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(HERE / name, folder)
    PREPARED[name](folder)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    gate = subprocess.run(
        GATE,
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
        check=False,
    )
    assert gate.returncode == 0, gate.stdout
    document = json.loads((folder / "brownout-report" / "brownout.json").read_text("utf-8"))
    verdicts = {one["id"]: one["verdict"] for one in document["behaviours"]}
    assert set(verdicts.values()) <= {"kept", "not assessed"}, gate.stdout
    assert list(verdicts.values()).count("kept") >= 60, gate.stdout
