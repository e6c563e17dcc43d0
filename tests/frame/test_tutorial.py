"""The tutorial, step by step, as a reader would follow it."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.frame.documented import BLOCKS

STEPS = [block for block in BLOCKS if block.document == "docs/tutorial.md"]
SHOP = "shop.py"
READY = re.compile(r'@app\.get\("/ready"\)\n.*?\n(?=\n\n)', re.DOTALL)


def followed(command: str, folder: Path) -> tuple[int, str]:
    """The exit code of a command of the tutorial, and what it prints. One replica is enough for one
    trial."""
    words = shlex.split(command)
    program = "import sys, brownout.cli; sys.exit(brownout.cli.main())"
    more = ["--replicas=1"] if "gate" in words else []
    bin_folder = str(Path(sys.executable).parent)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BROWNOUT_", "PYTEST"))
    }
    done = subprocess.run(
        [sys.executable, "-c", program, *words[1:], *more],
        cwd=folder,
        env={**environment, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


def save(title: str, text: str, folder: Path) -> None:
    """Do with a block what its title says."""
    name, _, how = title.partition(", ")
    path = folder / name
    if not how:
        path.write_text(text, encoding="utf-8")
        return
    before = path.read_text(encoding="utf-8")
    if how == "at the end":
        path.write_text(f"{before}\n\n{text}", encoding="utf-8")
        return
    assert how == "in place of the route /ready"
    after, times = READY.subn(lambda _: text, before)
    assert times == 1
    path.write_text(after, encoding="utf-8")


@pytest.mark.timeout(400)
def test_it_ends_as_it_says(tmp_path: Path) -> None:
    said: list[tuple[int, str]] = []
    for block in STEPS:
        if block.title:
            save(block.title, block.text, tmp_path)
        commands = block.commands() if block.language == "console" else ()
        said += [followed(one, tmp_path) for one in commands if one.startswith("brownout")]
    (checked, check), (broken, first), (kept, second) = said
    assert (checked, broken, kept) == (0, 1, 0), (check, first, second)
    verdicts = dict(re.findall(r"^  (\w\d+) +(\w+) ", first, re.MULTILINE))
    assert verdicts == {"E5": "broken", "H3": "broken", "V1": "kept"}
    assert "3 kept, 0 broken" in second
    assert (tmp_path / "brownout-report" / "index.html").is_file()
